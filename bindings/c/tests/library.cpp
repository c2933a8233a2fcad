// The header in C++, with handles that free themselves: `library_cpp MODULE`.
#include <sectile.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

template <auto Free> struct Freed {
    template <typename T> void operator()(T *handle) const { Free(handle); }
};
using Source = std::unique_ptr<sectile_source, Freed<sectile_source_free>>;
using Metadata = std::unique_ptr<sectile_metadata, Freed<sectile_metadata_free>>;
using Error = std::unique_ptr<sectile_error, Freed<sectile_error_free>>;

// Calls a function that returns a handle.
template <typename Handle, typename Function, typename... Arguments>
Handle call(Function function, Arguments... arguments) {
    typename Handle::pointer handle = nullptr;
    sectile_error *error = nullptr;
    const sectile_status status = function(arguments..., &handle, &error);
    Handle owned(handle);
    if (status != SECTILE_STATUS_OK) {
        throw std::runtime_error(Error(error)->message);
    }
    return owned;
}

std::int64_t read_stream(void *context, std::uint8_t *buffer, std::size_t len, std::uint64_t offset) {
    auto &stream = *static_cast<std::ifstream *>(context);
    stream.clear();
    stream.seekg(static_cast<std::streamoff>(offset));
    stream.read(reinterpret_cast<char *>(buffer), static_cast<std::streamsize>(len));
    return stream.bad() ? -5 : stream.gcount();
}

std::string licenses(const Metadata &metadata) {
    sectile_view value{};
    sectile_item_value(metadata.get(), 0, "licenses", &value, nullptr);
    return value.data == nullptr ? "" : std::string(std::string_view(value.data, value.len));
}

} // namespace

int main(int, char **argv) {
    const auto file = call<Source>(sectile_source_open, argv[1]);
    const auto by_path = call<Metadata>(sectile_read, file.get());
    std::ifstream stream(argv[1], std::ios::binary | std::ios::ate);
    const auto len = static_cast<std::uint64_t>(stream.tellg());
    const auto callback = call<Source>(sectile_source_callback, read_stream, static_cast<void *>(&stream), len);
    const auto by_callback = call<Metadata>(sectile_read, callback.get());
    if (licenses(by_path).empty() || licenses(by_path) != licenses(by_callback)) {
        std::cerr << "the licenses differ\n";
        return 1;
    }
    try {
        call<Source>(sectile_source_open, "no-such-file");
        return 1;
    } catch (const std::runtime_error &error) {
        return std::string_view(error.what()).empty() ? 1 : 0;
    }
}
