#ifndef QUN_VALID_WINDOWS_H_
#define QUN_VALID_WINDOWS_H_

#include "hls_stream.h"

namespace qun {

// The windows that lie inside an image, in raster order, each as soon as its last pixel has come. `window` is called
// with a function that gives the pixel of a tap, at(dy, dx). As many rows are kept as a window reaches over.
template <class data_T, typename CONFIG_T, class Window> void valid_windows(hls::stream<data_T> &data, Window window) {
    const unsigned reach_y = (CONFIG_T::kernel_height - 1) * CONFIG_T::dilation_height + 1;
    const unsigned reach_x = (CONFIG_T::kernel_width - 1) * CONFIG_T::dilation_width + 1;
    data_T rows[reach_y][CONFIG_T::in_width];

Height:
    for (unsigned y = 0; y < CONFIG_T::in_height; y++) {
    Width:
        for (unsigned x = 0; x < CONFIG_T::in_width; x++) {
            rows[y % reach_y][x] = data.read();
            if (y + 1 < reach_y || x + 1 < reach_x)
                continue;
            const unsigned top = y + 1 - reach_y, left = x + 1 - reach_x;
            if (top % CONFIG_T::stride_height == 0 && left % CONFIG_T::stride_width == 0)
                window([&](unsigned dy, unsigned dx) -> const data_T & {
                    return rows[(top + dy * CONFIG_T::dilation_height) % reach_y][left + dx * CONFIG_T::dilation_width];
                });
        }
    }
}

} // namespace qun

#endif
