package sectile

import (
	"encoding/json"
	"time"
)

// request is a request to the core. Its keys are those of bindings/wasm/README.md.
type request struct {
	Operation   string     `json:"op"`
	File        string     `json:"file,omitempty"`
	Packages    string     `json:"packages,omitempty"`
	Interface   bool       `json:"interface,omitempty"`
	Policy      *string    `json:"policy,omitempty"`
	PolicyName  string     `json:"policy_name,omitempty"`
	Day         string     `json:"day,omitempty"`
	Locations   []string   `json:"locations,omitempty"`
	DeclaredLen *int64     `json:"declared_len,omitempty"`
	MaxBytes    *int64     `json:"max_bytes,omitempty"`
	Digest      string     `json:"digest,omitempty"`
	HostDigest  bool       `json:"host_digest,omitempty"`
	Edit        *coreEdits `json:"edit,omitempty"`
}

// encode returns the request as JSON.
func (request *request) encode() ([]byte, error) {
	encoded, err := json.Marshal(request)
	if err != nil {
		return nil, argumentError("the request cannot be encoded: %s", err)
	}
	return encoded, nil
}

// setPolicy adds a policy, and the day that exceptions expire by: today, unless it is given.
func (request *request) setPolicy(policy *Policy, day time.Time) {
	if policy == nil {
		return
	}
	if day.IsZero() {
		day = time.Now().UTC()
	}
	request.Policy, request.PolicyName, request.Day = &policy.text, policy.name, day.Format(time.DateOnly)
}

// packages returns the packages to read.
func packages(recovered bool) string {
	if recovered {
		return "all"
	}
	return ""
}
