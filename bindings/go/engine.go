package sectile

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// The same file as bindings/wasm/sectile.wasm, which CI compares. Go embeds only files of a module's folder.
//
//go:embed sectile.wasm
var core []byte

const (
	// version of the core's interface that this package calls.
	abiVersion = 1
	// maxMemoryPages bounds the memory of an instance: 512 MiB. Reads need a few MiB.
	maxMemoryPages = 8192
	// maxIdleMemory is the size above which an instance is not used again, because memory never shrinks.
	maxIdleMemory = 32 << 20
)

// Config configures an [Engine].
type Config struct {
	// CacheDir is a directory that keeps the compiled core, which later processes load. Without it, each
	// process compiles the core once.
	CacheDir string
	// Interpret runs the core in wazero's interpreter: it starts without compiling, and runs slower. It is
	// used anyway on platforms that wazero does not compile for.
	Interpret bool
	// MaxIdle is the number of unused instances that are kept. The default is the number of processors.
	MaxIdle int
}

// Engine runs the core. It may be used by several goroutines.
type Engine struct {
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
	maxIdle  int

	mutex  sync.Mutex
	idle   []*instance
	closed bool
}

// New compiles the core.
func New(config Config) (*Engine, error) {
	ctx := context.Background()
	cache, err := newCache(config.CacheDir)
	if err != nil {
		return nil, fmt.Errorf("sectile: cannot use the cache %q: %w", config.CacheDir, err)
	}
	var options wazero.RuntimeConfig
	if config.Interpret {
		options = wazero.NewRuntimeConfigInterpreter()
	} else {
		options = wazero.NewRuntimeConfig()
	}
	options = options.WithCompilationCache(cache).WithMemoryLimitPages(maxMemoryPages).WithDebugInfoEnabled(false)
	engine := &Engine{runtime: wazero.NewRuntimeWithConfig(ctx, options), cache: cache, maxIdle: config.MaxIdle}
	if engine.maxIdle <= 0 {
		engine.maxIdle = runtime.GOMAXPROCS(0)
	}
	if err := engine.compile(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("sectile: cannot load the core: %w", err), engine.Close())
	}
	return engine, nil
}

func newCache(directory string) (wazero.CompilationCache, error) {
	if directory == "" {
		return wazero.NewCompilationCache(), nil
	}
	return wazero.NewCompilationCacheWithDir(directory)
}

func (engine *Engine) compile(ctx context.Context) error {
	parameters := []api.ValueType{api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI64}
	_, err := engine.runtime.NewHostModuleBuilder("host").
		NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(readAt), parameters, []api.ValueType{api.ValueTypeI32}).
		Export("read_at").
		Instantiate(ctx)
	if err != nil {
		return err
	}
	if engine.compiled, err = engine.runtime.CompileModule(ctx, core); err != nil {
		return err
	}
	instance, err := engine.acquire(ctx)
	if err != nil {
		return err
	}
	engine.release(instance)
	return nil
}

// Close releases the engine. Operations that are not finished fail.
func (engine *Engine) Close() error {
	engine.mutex.Lock()
	engine.closed, engine.idle = true, nil
	engine.mutex.Unlock()
	ctx := context.Background()
	return errors.Join(engine.runtime.Close(ctx), engine.cache.Close(ctx))
}

// acquire returns an idle instance, or a new one.
func (engine *Engine) acquire(ctx context.Context) (*instance, error) {
	engine.mutex.Lock()
	if engine.closed {
		engine.mutex.Unlock()
		return nil, errors.New("sectile: the engine is closed")
	}
	if last := len(engine.idle) - 1; last >= 0 {
		instance := engine.idle[last]
		engine.idle = engine.idle[:last]
		engine.mutex.Unlock()
		return instance, nil
	}
	engine.mutex.Unlock()
	// The context of a caller must not end an instance that others use later.
	return newInstance(context.WithoutCancel(ctx), engine)
}

// release keeps an instance for the next operation. One that trapped or grew is closed.
func (engine *Engine) release(instance *instance) {
	if instance.reset() && instance.memory.Size() <= maxIdleMemory {
		engine.mutex.Lock()
		if !engine.closed && len(engine.idle) < engine.maxIdle {
			engine.idle = append(engine.idle, instance)
			engine.mutex.Unlock()
			return
		}
		engine.mutex.Unlock()
	}
	closeInstance(instance)
}

var defaultEngine = sync.OnceValues(func() (*Engine, error) { return New(Config{}) })
