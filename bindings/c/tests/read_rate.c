/* Reads files again and again, as `examples/read_rate.rs` of the Python package does: `read_rate READS FILE…`. */
#include <sectile.h>

#include <stdlib.h>

int main(int argc, char **argv) {
    const long reads = argc > 2 ? atol(argv[1]) / (argc - 2) : 0;
    for (long round = 0; round < reads; round++) {
        for (int nth = 2; nth < argc; nth++) {
            sectile_source *source;
            sectile_metadata *metadata;
            if (sectile_source_open(argv[nth], &source, NULL) || sectile_read(source, &metadata, NULL)) {
                return 1;
            }
            sectile_metadata_free(metadata);
            sectile_source_free(source);
        }
    }
    return reads > 0 ? 0 : 2;
}
