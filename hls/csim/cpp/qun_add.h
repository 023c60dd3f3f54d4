#ifndef QUN_ADD_H_
#define QUN_ADD_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// Weighted sum of two tensors: exact in `accum_t`, and rounded once by the type of the result.
template <class first_T, class second_T, class res_T, typename CONFIG_T>
void add(hls::stream<first_T> &first, hls::stream<second_T> &second, hls::stream<res_T> &res) {
    const ap_int<32> first_gain = CONFIG_T::first_gain;
    const ap_int<32> second_gain = CONFIG_T::second_gain;

Pixels:
    for (unsigned i = 0; i < CONFIG_T::n_in / first_T::size; i++) {
        #pragma HLS PIPELINE
        const first_T a = first.read();
        const second_T b = second.read();
        res_T result;
        PRAGMA_DATA_PACK(result)
    Channels:
        for (unsigned c = 0; c < first_T::size; c++) {
            #pragma HLS UNROLL
            const typename CONFIG_T::accum_t left = a[c] * first_gain;
            const typename CONFIG_T::accum_t right = b[c] * second_gain;
            const typename CONFIG_T::accum_t sum = left + right;
            result[c] = sum;
        }
        res.write(result);
    }
}

} // namespace qun

#endif
