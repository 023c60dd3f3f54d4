#ifndef QUN_LOOKUP_H_
#define QUN_LOOKUP_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// A table over the whole range of the input. The entry of the integer q stands at q - qmin: for a signed type these are
// the bits of q with the sign bit inverted.
template <class data_T, class res_T, typename CONFIG_T>
void lookup(hls::stream<data_T> &data, hls::stream<res_T> &res,
             typename CONFIG_T::table_t table[CONFIG_T::table_size]) {
    const int width = data_T::value_type::width;

Pixels:
    for (unsigned i = 0; i < CONFIG_T::n_in / data_T::size; i++) {
        #pragma HLS PIPELINE
        const data_T pixel = data.read();
        res_T result;
        PRAGMA_DATA_PACK(result)
    Channels:
        for (unsigned c = 0; c < data_T::size; c++) {
            #pragma HLS UNROLL
            typename data_T::value_type value = pixel[c];
            ap_uint<width> address = value.range(width - 1, 0);
            if (CONFIG_T::in_signed)
                address[width - 1] = !address[width - 1];
            result[c] = table[address.to_uint()];
        }
        res.write(result);
    }
}

} // namespace qun

#endif
