#ifndef QUN_WEIGHTS_H_
#define QUN_WEIGHTS_H_

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

// The folder of the weights is known at run time only, so that a program does not depend on where it stands.
extern const char *qun_weights_dir;

namespace nnet {

// Read the weights of a layer from hls4ml's text file: decimal numbers with commas between them.
template <class T, size_t SIZE> void load_weights_from_txt(T *weights, const char *name) {
    const std::string path = std::string(qun_weights_dir) + "/" + name;
    std::ifstream file(path.c_str(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const char *at = text.c_str();
    for (size_t i = 0; i < SIZE; i++) {
        char *end = nullptr;
        const double code = std::ldexp(std::strtod(at, &end), T::width - T::iwidth);
        const int64_t bits = static_cast<int64_t>(code);
        weights[i].setBits(static_cast<uint64_t>(bits));
        const bool last = i + 1 == SIZE;
        if (end == at || *end != (last ? '\0' : ',') || static_cast<double>(bits) != code ||
            static_cast<int64_t>(weights[i].V.get_VAL()) != bits) {
            std::cerr << path << ": value " << i << " of " << SIZE << " is missing or not exact" << std::endl;
            std::exit(1);
        }
        at = end + 1;
    }
}

} // namespace nnet

#endif
