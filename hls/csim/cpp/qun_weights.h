#ifndef QUN_WEIGHTS_H_
#define QUN_WEIGHTS_H_

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

// The folder of the weights is known at run time only, so that a program does not depend on where it stands.
extern const char *qun_weights_dir;

namespace qun {

// The integer code of the decimal number at `at`, whose scale is 2^-frac, and where the number ends. Millions of numbers
// are read, so that short ones are converted in integers; others take the way through double. `exact` is cleared where
// the number is no multiple of the scale.
inline int64_t decimal_code(const char *at, int frac, const char **end, bool &exact) {
    const char *digit = at + (*at == '-');
    int64_t number = 0, ten = 1;
    int digits = 0;
    for (bool point = false; (*digit >= '0' && *digit <= '9') || (*digit == '.' && !point); digit++) {
        if (*digit == '.') {
            point = true;
            continue;
        }
        number = number * 10 + (*digit - '0');
        ten *= point ? 10 : 1;
        if (++digits > 12) // 10^12 * 2^20 still fits
            break;
    }
    const bool plain = digits > 0 && digits <= 12 && (*digit == ',' || *digit == '\0') && frac >= 0 && frac <= 20;
    if (plain) {
        *end = digit;
        const int64_t scaled = number << frac;
        exact = scaled % ten == 0;
        return *at == '-' ? -(scaled / ten) : scaled / ten;
    }
    char *stop = nullptr;
    const double code = std::ldexp(std::strtod(at, &stop), frac);
    *end = stop;
    exact = static_cast<double>(static_cast<int64_t>(code)) == code;
    return static_cast<int64_t>(code);
}

inline std::string read_text(const std::string &path) {
    std::ifstream file(path.c_str(), std::ios::binary | std::ios::ate);
    std::string text(file ? static_cast<size_t>(file.tellg()) : 0, '\0');
    file.seekg(0);
    file.read(&text[0], static_cast<std::streamsize>(text.size()));
    return text;
}

} // namespace qun

namespace nnet {

// Read the weights of a layer from hls4ml's text file: decimal numbers with commas between them.
template <class T, size_t SIZE> void load_weights_from_txt(T *weights, const char *name) {
    const std::string path = std::string(qun_weights_dir) + "/" + name;
    const std::string text = qun::read_text(path);
    const char *at = text.c_str();
    for (size_t i = 0; i < SIZE; i++) {
        const char *end = at;
        bool exact = false;
        at += *at == ' ';
        const int64_t bits = qun::decimal_code(at, T::width - T::iwidth, &end, exact);
        weights[i].setBits(static_cast<uint64_t>(bits));
        const bool last = i + 1 == SIZE;
        if (end == at || *end != (last ? '\0' : ',') || !exact ||
            static_cast<int64_t>(weights[i].V.get_VAL()) != bits) {
            std::cerr << path << ": value " << i << " of " << SIZE << " is missing or not exact" << std::endl;
            std::exit(1);
        }
        at = end + 1;
    }
}

} // namespace nnet

#endif
