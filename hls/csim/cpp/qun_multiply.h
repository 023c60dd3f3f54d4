#ifndef QUN_MULTIPLY_H_
#define QUN_MULTIPLY_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// The product of two tensors. The second has as many channels as the first, or one for all of them.
template <class first_T, class second_T, class res_T, typename CONFIG_T>
void multiply(hls::stream<first_T> &first, hls::stream<second_T> &second, hls::stream<res_T> &res) {
    const bool gate = second_T::size == 1;

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
            result[c] = a[c] * b[gate ? 0 : c];
        }
        res.write(result);
    }
}

} // namespace qun

#endif
