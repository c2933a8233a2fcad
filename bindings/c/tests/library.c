/* Every function of the library. Run under valgrind and AddressSanitizer by `.ci/c`: `library COMPONENT DIRECTORY`. */
#include <sectile.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                  \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);               \
            exit(1);                                                                      \
        }                                                                                 \
    } while (0)

/* The status is this one, and the error has it, with a message that contains a text. */
#define CHECK_ERROR(call, expected, text)                                                 \
    do {                                                                                  \
        sectile_error *error = NULL;                                                      \
        CHECK((call) == (expected));                                                      \
        CHECK(error != NULL && error->status == (expected));                              \
        if (strstr(error->message, text) == NULL) {                                       \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, error->message);           \
            exit(1);                                                                      \
        }                                                                                 \
        sectile_error_free(error);                                                        \
    } while (0)

#define LEN(array) (sizeof(array) / sizeof *(array))

/* A module with the license MIT, and a section of code whose last byte is missing in TRUNCATED. */
static const uint8_t MODULE[] = "\0asm\1\0\0\0\0\14\10licensesMIT\12\2\1\0";
#define MODULE_LEN (sizeof MODULE - 1)
#define TRUNCATED_LEN (MODULE_LEN - 1)

static int equals(sectile_view view, const char *text) {
    return view.data != NULL && view.len == strlen(text) && memcmp(view.data, text, view.len) == 0;
}

static sectile_view value_of(const sectile_metadata *metadata, size_t item, const char *field) {
    sectile_view value;
    CHECK(sectile_item_value(metadata, item, field, &value, NULL) == SECTILE_STATUS_OK);
    return value;
}

static sectile_source *source_of(const uint8_t *data, size_t len) {
    sectile_source *source;
    CHECK(sectile_source_bytes(data, len, &source, NULL) == SECTILE_STATUS_OK);
    return source;
}

static void versions(void) {
    CHECK(sectile_abi_version() == SECTILE_ABI_VERSION);
    CHECK(strchr(sectile_version(), '.') != NULL);
}

static void component(const char *path) {
    sectile_source *source;
    sectile_metadata *metadata;
    sectile_error *error = (sectile_error *)&source; /* set to NULL on success */
    CHECK(sectile_source_open(path, &source, &error) == SECTILE_STATUS_OK && error == NULL);
    CHECK(sectile_read(source, &metadata, &error) == SECTILE_STATUS_OK && error == NULL);
    sectile_source_free(source); /* the metadata does not need it */
    CHECK(sectile_item_count(metadata) > 1);
    sectile_item_info root, child;
    CHECK(sectile_item(metadata, 0, &root, NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_item(metadata, 1, &child, NULL) == SECTILE_STATUS_OK);
    CHECK(root.is_component && root.parent == SECTILE_NO_ITEM && root.start == 0 && root.depth == 0);
    CHECK(!child.is_component && child.parent == 0 && child.start > 8 && child.end < root.end && child.depth == 1);
    CHECK(equals(root.name, "checksum") && child.name.data == NULL);
    CHECK(equals(value_of(metadata, 0, "licenses"), "MIT OR Apache-2.0"));
    CHECK(value_of(metadata, 1, "licenses").data == NULL);
    size_t count, again;
    CHECK(sectile_item_producers(metadata, 0, NULL, 0, &count, NULL) == SECTILE_STATUS_OK && count == 3);
    sectile_producer producers[4] = {0};
    CHECK(sectile_item_producers(metadata, 0, producers, LEN(producers), &again, NULL) == SECTILE_STATUS_OK);
    CHECK(again == count && equals(producers[0].field, "processed-by") && producers[3].name.data == NULL);
    CHECK(equals(producers[0].name, "wit-component") && producers[0].version.len > 0);
    CHECK(equals(producers[2].field, "sdk") && equals(producers[2].version, "1"));
    sectile_producer first;
    CHECK(sectile_item_producers(metadata, 0, &first, 1, &again, NULL) == SECTILE_STATUS_OK && again == count);
    sectile_buffer json;
    CHECK(sectile_metadata_json(metadata, &json, NULL) == SECTILE_STATUS_OK);
    CHECK(json.data[0] == '{' && json.data[json.len - 1] == '}' && strlen(json.data) == json.len);
    sectile_buffer_free(&json);
    sectile_buffer_free(&json); /* is empty now */
    CHECK_ERROR(sectile_item(metadata, 99, &root, &error), SECTILE_STATUS_ARGUMENT, "item 99 does not exist");
    sectile_view value;
    CHECK_ERROR(sectile_item_value(metadata, 0, "license", &value, &error), SECTILE_STATUS_ARGUMENT, "unknown field");
    CHECK_ERROR(sectile_item_value(metadata, 0, "\xff", &value, &error), SECTILE_STATUS_ARGUMENT, "is not UTF-8");
    sectile_metadata_free(metadata);
    CHECK_ERROR(sectile_source_open("no-such-file", &source, &error), SECTILE_STATUS_IO, "");
    CHECK(source == NULL);
    CHECK(sectile_source_open("no-such-file", &source, &error) == SECTILE_STATUS_IO && error->system == ENOENT);
    sectile_error_free(error);
}

static void findings(void) {
    const uint8_t module[] = "\0asm\1\0\0\0\0\15\10licensesMIT!";
    sectile_source *source = source_of(module, sizeof module - 1);
    sectile_metadata *metadata;
    CHECK(sectile_read(source, &metadata, NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_finding_count(metadata) == 1);
    sectile_finding_info finding;
    CHECK(sectile_finding(metadata, 0, &finding, NULL) == SECTILE_STATUS_OK);
    CHECK(equals(finding.code, "not-spdx") && equals(finding.section, "licenses") && finding.count == 1);
    CHECK(finding.severity == 2 && finding.offset == 19 && finding.item == 0 && finding.message.len > 0);
    CHECK_ERROR(sectile_finding(metadata, 1, &finding, &error), SECTILE_STATUS_ARGUMENT, "finding 1 does not exist");
    sectile_metadata_free(metadata);
    sectile_source_free(source);
}

static void truncated(void) {
    sectile_source *source = source_of(MODULE, TRUNCATED_LEN);
    sectile_metadata *metadata;
    sectile_error *error;
    CHECK(sectile_read(source, &metadata, &error) == SECTILE_STATUS_MALFORMED);
    CHECK(error->status == SECTILE_STATUS_MALFORMED && error->offset >= 22 && error->system == 0);
    CHECK(equals(value_of(metadata, 0, "licenses"), "MIT")); /* before the cut */
    sectile_metadata_free(metadata);
    sectile_error_free(error);
    for (uint32_t document = SECTILE_DOCUMENT_SHOW; document <= SECTILE_DOCUMENT_SPDX; document++) {
        sectile_buffer json;
        CHECK(sectile_json(source, document, &json, NULL) == SECTILE_STATUS_MALFORMED);
        CHECK((json.len > 0) == (document < SECTILE_DOCUMENT_CYCLONEDX));
        sectile_buffer_free(&json);
    }
    sectile_source_free(source);
    source = source_of((const uint8_t *)"\x7f" "ELF\2\1\1\0", 8);
    CHECK_ERROR(sectile_read(source, &metadata, &error), SECTILE_STATUS_NOT_WASM, "ELF");
    CHECK(metadata == NULL);
    sectile_source_free(source);
}

static void documents(void) {
    sectile_source *source = source_of(MODULE, MODULE_LEN);
    for (uint32_t document = SECTILE_DOCUMENT_SHOW; document <= SECTILE_DOCUMENT_SPDX; document++) {
        sectile_buffer json;
        CHECK(sectile_json(source, document, &json, NULL) == SECTILE_STATUS_OK);
        CHECK(json.data[0] == '{' && json.data[json.len] == 0);
        sectile_buffer_free(&json);
    }
    sectile_buffer json;
    CHECK_ERROR(sectile_json(source, 0, &json, &error), SECTILE_STATUS_ARGUMENT, "unknown document 0");
    CHECK(json.data == NULL);
    sectile_source_free(source);
}

struct reads {
    int64_t fail; /* returned instead of a number, unless 0 */
    size_t calls;
};

static int64_t read_module(void *context, uint8_t *buffer, size_t len, uint64_t offset) {
    struct reads *reads = context;
    reads->calls++;
    if (reads->fail != 0) {
        return reads->fail < 0 ? reads->fail : (int64_t)len + reads->fail;
    }
    size_t rest = offset < MODULE_LEN ? MODULE_LEN - (size_t)offset : 0;
    size_t read = len < rest ? len : rest;
    read = read > 3 ? 3 : read; /* fewer than requested */
    memcpy(buffer, MODULE + offset, read);
    return (int64_t)read;
}

static void callbacks(void) {
    struct reads reads = {0};
    sectile_source *source;
    sectile_metadata *metadata;
    sectile_error *error;
    CHECK(sectile_source_callback(read_module, &reads, MODULE_LEN, &source, NULL) == SECTILE_STATUS_OK);
    CHECK(reads.calls == 0);
    CHECK(sectile_read(source, &metadata, NULL) == SECTILE_STATUS_OK && reads.calls > 1);
    CHECK(equals(value_of(metadata, 0, "licenses"), "MIT"));
    sectile_metadata_free(metadata);
    reads.fail = -EIO;
    CHECK(sectile_read(source, &metadata, &error) == SECTILE_STATUS_IO && error->system == EIO && metadata == NULL);
    sectile_error_free(error);
    reads.fail = INT64_MIN;
    CHECK_ERROR(sectile_read(source, &metadata, &error), SECTILE_STATUS_IO, "the callback failed");
    reads.fail = 1;
    CHECK_ERROR(sectile_read(source, &metadata, &error), SECTILE_STATUS_IO, "more bytes than requested");
    sectile_source_free(source);
    CHECK_ERROR(sectile_source_callback(NULL, NULL, 0, &source, &error), SECTILE_STATUS_ARGUMENT, "`read` is NULL");
}

static void chunks(void) {
    for (size_t len = 1; len <= MODULE_LEN; len++) {
        sectile_push *push;
        sectile_metadata *metadata;
        CHECK(sectile_push_new(&push, NULL) == SECTILE_STATUS_OK);
        for (size_t start = 0; start < MODULE_LEN; start += len) {
            size_t end = start + len < MODULE_LEN ? start + len : MODULE_LEN;
            CHECK(sectile_push_feed(push, MODULE + start, end - start, NULL) == SECTILE_STATUS_OK);
        }
        CHECK(sectile_push_feed(push, NULL, 0, NULL) == SECTILE_STATUS_OK); /* an empty chunk */
        CHECK(sectile_push_end(push, &metadata, NULL) == SECTILE_STATUS_OK);
        CHECK(equals(value_of(metadata, 0, "licenses"), "MIT"));
        sectile_metadata_free(metadata);
        CHECK_ERROR(sectile_push_feed(push, MODULE, 1, &error), SECTILE_STATUS_ARGUMENT, "has ended");
        CHECK_ERROR(sectile_push_end(push, &metadata, &error), SECTILE_STATUS_ARGUMENT, "has ended");
        sectile_push_free(push);
    }
    sectile_push *push;
    sectile_metadata *metadata;
    CHECK(sectile_push_new(&push, NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_push_feed(push, MODULE, TRUNCATED_LEN, NULL) == SECTILE_STATUS_OK);
    CHECK_ERROR(sectile_push_end(push, &metadata, &error), SECTILE_STATUS_MALFORMED, "");
    CHECK(equals(value_of(metadata, 0, "licenses"), "MIT"));
    sectile_metadata_free(metadata);
    sectile_push_free(push);
    CHECK(sectile_push_new(&push, NULL) == SECTILE_STATUS_OK);
    for (int chunk = 0; chunk < 2; chunk++) { /* the same error again */
        CHECK_ERROR(sectile_push_feed(push, (const uint8_t *)"no Wasm!", 8, &error), SECTILE_STATUS_NOT_WASM, "");
    }
    sectile_push_free(push);
}

static sectile_buffer edited_module(const sectile_edit *edit) {
    sectile_buffer edited;
    CHECK(sectile_edit_bytes(edit, MODULE, MODULE_LEN, &edited, NULL, NULL) == SECTILE_STATUS_OK);
    return edited;
}

static void edits(void) {
    sectile_edit *edit;
    CHECK(sectile_edit_new(0, &edit, NULL) == SECTILE_STATUS_OK);
    sectile_buffer edited = edited_module(edit), changes;
    CHECK(edited.len == MODULE_LEN && memcmp(edited.data, MODULE, MODULE_LEN) == 0); /* no change */
    sectile_buffer_free(&edited);
    const uint8_t data[] = {0, 1, 2};
    CHECK(sectile_edit_at(edit, "", NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_set(edit, "licenses", "Apache-2.0", NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_set(edit, "name", "kit", NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_add_producer(edit, "sdk", "Kit", "1.0", NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_put(edit, "notes", data, sizeof data, NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_bytes(edit, MODULE, MODULE_LEN, &edited, &changes, NULL) == SECTILE_STATUS_OK);
    CHECK(strstr(changes.data, "\"licenses\"") != NULL && strlen(changes.data) == changes.len);
    sectile_buffer_free(&changes);
    sectile_edit_free(edit);

    sectile_source *source = source_of((const uint8_t *)edited.data, edited.len);
    sectile_metadata *metadata;
    CHECK(sectile_read(source, &metadata, NULL) == SECTILE_STATUS_OK);
    CHECK(equals(value_of(metadata, 0, "licenses"), "Apache-2.0"));
    sectile_producer producer;
    size_t count;
    CHECK(sectile_item_producers(metadata, 0, &producer, 1, &count, NULL) == SECTILE_STATUS_OK && count == 1);
    CHECK(equals(producer.name, "Kit") && equals(producer.version, "1.0"));
    sectile_metadata_free(metadata);
    sectile_source_free(source);

    /* The other changes remove what was added. */
    const char *const keep[] = {"kept", "licenses"};
    CHECK(sectile_edit_new(SECTILE_EDIT_FORCE, &edit, NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_drop_producer(edit, "sdk", "Kit", NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_unset(edit, "name", NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_remove(edit, "not?s", NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_strip(edit, SECTILE_STRIP_NAMES | SECTILE_STRIP_ITEM_ONLY, keep, LEN(keep), NULL) ==
          SECTILE_STATUS_OK);
    sectile_buffer smaller;
    CHECK(sectile_edit_bytes(edit, (const uint8_t *)edited.data, edited.len, &smaller, NULL, NULL) ==
          SECTILE_STATUS_OK);
    CHECK(smaller.len == MODULE_LEN + strlen("Apache-2.0") - strlen("MIT"));
    sectile_buffer_free(&smaller);
    sectile_buffer_free(&edited);
    sectile_edit_free(edit);
}

static void invalid_edits(void) {
    sectile_edit *edit;
    sectile_buffer edited;
    CHECK_ERROR(sectile_edit_new(64, &edit, &error), SECTILE_STATUS_ARGUMENT, "unknown options: 0x40");
    CHECK(edit == NULL);
    CHECK(sectile_edit_new(0, &edit, NULL) == SECTILE_STATUS_OK);
    CHECK_ERROR(sectile_edit_set(edit, "licenses", "MIT!", &error), SECTILE_STATUS_EDIT, "SPDX");
    /* The edit keeps its error. */
    CHECK_ERROR(sectile_edit_set(edit, "version", "1.0", &error), SECTILE_STATUS_EDIT, "SPDX");
    CHECK_ERROR(sectile_edit_bytes(edit, MODULE, MODULE_LEN, &edited, NULL, &error), SECTILE_STATUS_EDIT, "SPDX");
    CHECK(edited.data == NULL);
    sectile_edit_free(edit);
    CHECK(sectile_edit_new(SECTILE_EDIT_ALLOW_INVALID, &edit, NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_set(edit, "licenses", "MIT!", NULL) == SECTILE_STATUS_OK);
    edited = edited_module(edit);
    CHECK(edited.len == MODULE_LEN + 1);
    sectile_buffer_free(&edited);
    CHECK_ERROR(sectile_edit_bytes(edit, MODULE, TRUNCATED_LEN, &edited, NULL, &error), SECTILE_STATUS_MALFORMED, "");
    CHECK_ERROR(sectile_edit_unset(edit, "licenses", &error), SECTILE_STATUS_EDIT, "twice");
    sectile_edit_free(edit);
    CHECK(sectile_edit_new(0, &edit, NULL) == SECTILE_STATUS_OK);
    CHECK_ERROR(sectile_edit_strip(edit, 8, NULL, 0, &error), SECTILE_STATUS_ARGUMENT, "unknown options");
    sectile_edit_free(edit);
    const char *const keep[] = {NULL};
    CHECK(sectile_edit_new(0, &edit, NULL) == SECTILE_STATUS_OK);
    CHECK_ERROR(sectile_edit_strip(edit, 0, keep, 1, &error), SECTILE_STATUS_ARGUMENT, "`keep` is NULL");
    sectile_edit_free(edit);
    CHECK(sectile_edit_new(0, &edit, NULL) == SECTILE_STATUS_OK);
    CHECK_ERROR(sectile_edit_at(edit, "3/x", &error), SECTILE_STATUS_ARGUMENT, "");
    sectile_edit_free(edit);
}

static void edits_of_files(const char *directory) {
    char path[4096];
    CHECK(snprintf(path, sizeof path, "%s/edited.wasm", directory) < (int)sizeof path);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(MODULE, 1, MODULE_LEN, file) == MODULE_LEN && fclose(file) == 0);
    sectile_edit *edit;
    sectile_buffer changes;
    CHECK(sectile_edit_new(0, &edit, NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_set(edit, "licenses", "ISC", NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_edit_file(edit, path, &changes, NULL) == SECTILE_STATUS_OK);
    CHECK(strstr(changes.data, "ISC") != NULL);
    sectile_buffer_free(&changes);
    uint8_t bytes[MODULE_LEN + 1];
    file = fopen(path, "rb");
    CHECK(file != NULL && fread(bytes, 1, sizeof bytes, file) == MODULE_LEN && fclose(file) == 0);
    CHECK(memcmp(bytes + 19, "ISC", 3) == 0 && memcmp(bytes, MODULE, 19) == 0);
    CHECK_ERROR(sectile_edit_file(edit, directory, &changes, &error), SECTILE_STATUS_IO, "directory");
    sectile_edit_free(edit);
}

static void policies(void) {
    sectile_source *source = source_of(MODULE, MODULE_LEN), *cut = source_of(MODULE, TRUNCATED_LEN);
    sectile_policy *policy;
    sectile_buffer verdict;
    uint32_t accepted;
    CHECK(sectile_check(source, NULL, 0, 0, &accepted, NULL, NULL) == SECTILE_STATUS_OK && accepted == 1);
    CHECK(sectile_check(cut, NULL, 0, 0, &accepted, &verdict, NULL) == SECTILE_STATUS_OK && accepted == 0);
    CHECK(strstr(verdict.data, "\"accepted\":false") != NULL);
    sectile_buffer_free(&verdict);
    CHECK(sectile_policy_parse("[[required]]\nfields = [\"source\"]\n", "policy.toml", &policy, NULL) ==
          SECTILE_STATUS_OK);
    CHECK(sectile_check(source, policy, 0, SECTILE_CHECK_RECOVERED, &accepted, &verdict, NULL) == SECTILE_STATUS_OK);
    CHECK(accepted == 0 && strstr(verdict.data, "source") != NULL);
    sectile_buffer_free(&verdict);
    sectile_policy_free(policy);
    CHECK_ERROR(sectile_policy_parse("[[requires]]\n", "p.toml", &policy, &error), SECTILE_STATUS_POLICY, "p.toml:1:");
    CHECK(policy == NULL);
    CHECK_ERROR(sectile_check(source, NULL, 0, 4, &accepted, NULL, &error), SECTILE_STATUS_ARGUMENT, "0x4");
    sectile_source_free(source);
    sectile_source_free(cut);
}

static void gates(void) {
    sectile_gate *gate;
    sectile_buffer verdict;
    CHECK(sectile_gate_new(NULL, NULL, 0, MODULE_LEN, SECTILE_NO_LENGTH, &gate, NULL) == SECTILE_STATUS_OK);
    for (size_t nth = 0; nth < MODULE_LEN; nth++) {
        CHECK(sectile_gate_feed(gate, MODULE + nth, 1, NULL) == SECTILE_STATUS_OK);
    }
    CHECK(sectile_gate_end(gate, &verdict, NULL) == SECTILE_STATUS_OK);
    CHECK(strstr(verdict.data, "\"accepted\":true") != NULL);
    sectile_buffer_free(&verdict);
    CHECK_ERROR(sectile_gate_feed(gate, MODULE, 1, &error), SECTILE_STATUS_ARGUMENT, "has ended");
    sectile_gate_free(gate);

    sectile_policy *policy;
    const char *toml = "[licenses]\ndeny = [\"MIT\"]\n";
    CHECK(sectile_policy_parse(toml, "p.toml", &policy, NULL) == SECTILE_STATUS_OK);
    CHECK(sectile_gate_new(policy, "a.wasm", 0, SECTILE_NO_LENGTH, SECTILE_NO_LENGTH, &gate, NULL) == SECTILE_STATUS_OK);
    sectile_policy_free(policy); /* the gate keeps it */
    CHECK(sectile_gate_feed(gate, MODULE, MODULE_LEN, NULL) == SECTILE_STATUS_OK);
    CHECK_ERROR(sectile_gate_end(gate, &verdict, &error), SECTILE_STATUS_REFUSED, "MIT");
    CHECK(strstr(verdict.data, "\"accepted\":false") != NULL);
    sectile_buffer_free(&verdict);
    sectile_gate_free(gate);

    CHECK(sectile_gate_new(NULL, NULL, 0, SECTILE_NO_LENGTH, 4, &gate, NULL) == SECTILE_STATUS_OK);
    CHECK_ERROR(sectile_gate_feed(gate, MODULE, MODULE_LEN, &error), SECTILE_STATUS_REFUSED, "4");
    sectile_gate_free(gate); /* without its end */
}

static void impossible_lengths(void) {
    sectile_source *source;
    CHECK_ERROR(sectile_source_bytes(NULL, 1, &source, &error), SECTILE_STATUS_ARGUMENT, "`data` is NULL");
    CHECK_ERROR(sectile_source_bytes(MODULE, SIZE_MAX, &source, &error), SECTILE_STATUS_ARGUMENT, "length");
    CHECK(source == NULL);
    source = source_of(NULL, 0);
    sectile_metadata *metadata;
    CHECK(sectile_read(source, &metadata, NULL) == SECTILE_STATUS_NOT_WASM && metadata == NULL);
    sectile_source_free(source);
}

struct shared {
    const sectile_source *source;
    const sectile_metadata *metadata;
};

static void *use_shared(void *argument) {
    const struct shared *shared = argument;
    for (int round = 0; round < 50; round++) {
        sectile_metadata *metadata;
        CHECK(sectile_read(shared->source, &metadata, NULL) == SECTILE_STATUS_OK);
        CHECK(equals(value_of(metadata, 0, "licenses"), "MIT"));
        CHECK(equals(value_of(shared->metadata, 0, "licenses"), "MIT"));
        sectile_metadata_free(metadata);
    }
    return NULL;
}

static void threads(void) {
    sectile_source *source = source_of(MODULE, MODULE_LEN);
    sectile_metadata *metadata;
    CHECK(sectile_read(source, &metadata, NULL) == SECTILE_STATUS_OK);
    struct shared shared = {source, metadata};
    pthread_t threads[4];
    for (size_t nth = 0; nth < LEN(threads); nth++) {
        CHECK(pthread_create(&threads[nth], NULL, use_shared, &shared) == 0);
    }
    for (size_t nth = 0; nth < LEN(threads); nth++) {
        CHECK(pthread_join(threads[nth], NULL) == 0);
    }
    sectile_metadata_free(metadata);
    sectile_source_free(source);
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    versions();
    component(argv[1]);
    findings();
    truncated();
    documents();
    callbacks();
    chunks();
    edits();
    invalid_edits();
    edits_of_files(argv[2]);
    policies();
    gates();
    impossible_lengths();
    threads();
    return 0;
}
