#ifndef QUN_CSIM_PREFIX_H_
#define QUN_CSIM_PREFIX_H_

// What every C simulation includes, compiled once (precompiled header). hls4ml's reader of weight files is replaced by
// qun_weights.h: it compiles faster and refuses a value that the weight's type does not hold exactly.

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"
#include <cassert>

#define load_weights_from_txt hls4ml_load_weights_from_txt
#include "nnet_utils/nnet_helpers.h"
#undef load_weights_from_txt
#include "qun_weights.h"

#include "nnet_utils/nnet_activation.h"
#include "nnet_utils/nnet_activation_stream.h"
#include "nnet_utils/nnet_code_gen.h"
#include "nnet_utils/nnet_conv2d.h"
#include "nnet_utils/nnet_conv2d_stream.h"
#include "nnet_utils/nnet_merge.h"
#include "nnet_utils/nnet_merge_stream.h"
#include "nnet_utils/nnet_padding.h"
#include "nnet_utils/nnet_padding_stream.h"
#include "nnet_utils/nnet_pooling.h"
#include "nnet_utils/nnet_pooling_stream.h"
#include "nnet_utils/nnet_sepconv2d_stream.h"
#include "nnet_utils/nnet_stream.h"
#include "nnet_utils/nnet_types.h"
#include "nnet_utils/qun_argmax.h"
#include "nnet_utils/qun_conv2d.h"
#include "nnet_utils/qun_conv_transpose2d.h"
#include "nnet_utils/qun_depthwise_conv2d.h"
#include "nnet_utils/qun_lookup.h"
#include "nnet_utils/qun_maxpool2d.h"
#include "nnet_utils/qun_multiply.h"
#include "nnet_utils/qun_smallest_area.h"
#include "nnet_utils/qun_sumpool2d.h"
#include "qun_csim.h"

#endif
