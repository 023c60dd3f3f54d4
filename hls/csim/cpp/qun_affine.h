#ifndef QUN_AFFINE_H_
#define QUN_AFFINE_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// One of a channel's constants, of two halves of 32 bits: hls4ml keeps weights as double, exact for 53 bits alone.
template <class T> ap_int<64> joined(const T halves[2]) {
    return (ap_int<64>(halves[0].to_int()) << 32) + ap_int<64>(halves[1].to_uint());
}

// General requantisation of integers: limit(round((x * multiplier + offset) / 2^shift)). The constants of a channel are
// its split, then multiplier and offset of values from the split on, then those of values below.
template <class data_T, class res_T, typename CONFIG_T>
void affine(hls::stream<data_T> &data, hls::stream<res_T> &res,
            typename CONFIG_T::constant_t constants[10 * CONFIG_T::n_chan]) {
    const int in_width = data_T::value_type::width;
    const int out_width = res_T::value_type::width;
    typedef ap_int<in_width + 1> value_t;
    typedef ap_int<in_width + 2> split_t;
    typedef ap_int<CONFIG_T::multiplier_width> multiplier_t;
    typedef ap_int<CONFIG_T::sum_width> sum_t; // holds 1 << shift too: room for the rounding
    const sum_t low = CONFIG_T::low;
    const sum_t high = CONFIG_T::high;

Pixels:
    for (unsigned i = 0; i < CONFIG_T::n_in / data_T::size; i++) {
        #pragma HLS PIPELINE
        const data_T pixel = data.read();
        res_T result;
        PRAGMA_DATA_PACK(result)
    Channels:
        for (unsigned c = 0; c < data_T::size; c++) {
            #pragma HLS UNROLL
            typename data_T::value_type code = pixel[c];
            const ap_uint<in_width> raw = code.range(in_width - 1, 0);
            value_t value = raw;
            value[in_width] = CONFIG_T::in_signed && raw[in_width - 1];
            const typename CONFIG_T::constant_t *channel = constants + 10 * (c % CONFIG_T::n_chan);
            const typename CONFIG_T::constant_t *branch = value >= split_t(joined(channel)) ? channel + 2 : channel + 6;
            const multiplier_t multiplier = joined(branch);
            const sum_t offset = joined(branch + 2);
            const sum_t sum = value * multiplier + offset;
            sum_t quotient = sum >> CONFIG_T::shift;
            if (CONFIG_T::even) {
                const sum_t rest = sum - sum_t(quotient << CONFIG_T::shift);
                const sum_t half = sum_t(ap_int<64>(1) << CONFIG_T::shift) >> 1;
                if (rest > half || (rest == half && half != 0 && quotient[0]))
                    quotient += 1;
            }
            const sum_t limited = CONFIG_T::wraps ? quotient : quotient > high ? high : quotient < low ? low : quotient;
            result[c].range(out_width - 1, 0) = ap_uint<out_width>(limited);
        }
        res.write(result);
    }
}

} // namespace qun

#endif
