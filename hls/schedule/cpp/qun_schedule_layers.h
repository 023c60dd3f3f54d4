// Rules of the layers but for the convolution by constants.
#ifndef QUN_SCHEDULE_LAYERS_H_
#define QUN_SCHEDULE_LAYERS_H_

#include "qun_schedule.h"
#include "qun_schedule_plumbing.h"

#include <deque>
#include <memory>
#include <utility>

namespace qun {

// `qun_concat.sv`: a register slice behind a multiplexer that turns with every pixel.
class Concat final : public Module {
  public:
    Concat(const Params &params, const Ports &inputs, const Ports &outputs)
        : target_(*outputs[0]), room_(params.at("SliceBeats")),
          turn_(params.at("SkipChannels") / params.at("Lanes"), inputs[0]) {
        turn_.insert(turn_.end(), params.at("UpChannels") / params.at("Lanes"), inputs[1]);
    }

    void advance() override {
        const auto &left = target_.moved;
        for (Count k = size(target_.offered); k < size(left) + room_; ++k) {
            Wire &leg = *turn_[k % turn_.size()];
            if (leg.offered.size() == leg.moved.size())
                break;
            cycle_ = std::max(leg.offered[leg.moved.size()], cycle_ + 1);
            if (k >= room_)
                cycle_ = std::max(cycle_, left[k - room_] + 1);
            leg.moved.push_back(cycle_);
            target_.offered.push_back(cycle_ + 1);
        }
    }

  private:
    Wire &target_;
    Count room_;
    Ports turn_;
    Cycle cycle_ = -1;
};

// `qun_add.sv`, `qun_maximum.sv` and `qun_multiply.sv`: a register slice that takes a beat of each stream at a time. A
// beat of the second stream goes with `groups` beats of the first and is taken with the last of them.
class Together final : public Module {
  public:
    Together(const Params &params, const Ports &inputs, const Ports &outputs, Count groups)
        : first_(*inputs[0]), second_(*inputs[1]), target_(*outputs[0]), room_(params.at("SliceBeats")),
          groups_(groups) {}

    void advance() override {
        const auto &left = target_.moved;
        for (Count k = size(target_.offered); k < size(left) + room_; ++k) {
            if (size(first_.offered) <= k || size(second_.offered) <= k / groups_)
                return;
            cycle_ = std::max({cycle_ + 1, first_.offered[k], second_.offered[k / groups_]});
            if (k >= room_)
                cycle_ = std::max(cycle_, left[k - room_] + 1);
            first_.moved.push_back(cycle_);
            if (k % groups_ == groups_ - 1)
                second_.moved.push_back(cycle_);
            target_.offered.push_back(cycle_ + 1);
        }
    }

  private:
    Wire &first_, &second_, &target_;
    Count room_, groups_;
    Cycle cycle_ = -1;
};

// What a matrix-vector unit does with a frame, in firings: for each the pixel that must have come, the taps of each of
// its folds, and how many pixels' places are free after it, in the pixels' order. Before the first frame `ahead` are.
struct Firings {
    std::vector<Count> needs, taps, frees;
    Count ahead = 0;
};

// `qun_sliding_window.sv`: the last pixel of each window that lies in the frame.
inline Firings window_firings(const Params &params) {
    const Count taps = params.at("Kernel") * params.at("Kernel") * (params.at("InChannels") / params.at("Simd"));
    const Count height = params.at("Height"), width = params.at("Width"), margin = params.at("Kernel") / 2;
    Firings firings;
    for (Count row = 0; row < height; ++row)
        for (Count column = 0; column < width; ++column)
            firings.needs.push_back(std::min(row + margin, height - 1) * width + std::min(column + margin, width - 1));
    firings.frees.assign(height * width, 1);
    firings.taps.assign(height * width, taps);
    return firings;
}

// `qun_row_repeat.sv`: each row is read twice, and given up in the second pass.
inline Firings repeat_firings(const Params &params) {
    const Count height = params.at("Height"), width = params.at("Width");
    Firings firings;
    for (Count row = 0; row < height; ++row)
        for (const bool second : {false, true})
            for (Count column = 0; column < width; ++column) {
                firings.needs.push_back(row * width + column);
                firings.frees.push_back(second);
            }
    firings.taps.assign(firings.needs.size(), params.at("InChannels") / params.at("Simd"));
    return firings;
}

// `qun_window.sv`, along one dimension: where the windows of the output pixels begin, where they end, and their taps.
struct Axis {
    std::vector<Count> first, last, taps;
    Count length;

    Axis(const Params &params, const std::string &size, const std::string &letter) : length(params.at(size)) {
        const Count kernel = params.at("Kernel" + letter), stride = params.at("Stride" + letter);
        const Count up = params.at("Up" + letter), crop = params.at("Crop" + letter);
        for (Count place = 0; place < params.at("Out" + size); ++place) {
            taps.push_back((kernel - (place + crop) % up + up - 1) / up);
            first.push_back(place / up * stride + (place % up + crop) / up - taps.back() + 1);
            last.push_back(first.back() + (taps.back() - 1) * params.at("Dilation" + letter));
        }
    }
};

// `qun_window.sv`: after a window the pixels are free that no later one reads; a row of windows keeps all of its input
// rows where the next one begins at the same.
inline Firings valid_window_firings(const Params &params) {
    const Axis rows(params, "Height", "H"), columns(params, "Width", "W");
    const Count folds = params.at("InFolds") / params.at("Groups");
    Firings firings;
    std::vector<Count> begins;
    for (Count row = 0; row < size(rows.first); ++row) {
        const bool stays = row + 1 < size(rows.first) && rows.first[row + 1] == rows.first[row];
        for (Count column = 0; column < size(columns.first); ++column) {
            firings.needs.push_back(rows.last[row] * columns.length + columns.last[column]);
            firings.taps.push_back(rows.taps[row] * columns.taps[column] * folds);
            begins.push_back(rows.first[row] * columns.length + columns.first[stays ? 0 : column]);
        }
    }
    firings.ahead = begins[0];
    begins.push_back(rows.length * columns.length + begins[0]);
    for (Count firing = 0; firing + 1 < size(begins); ++firing)
        firings.frees.push_back(begins[firing + 1] - begins[firing]);
    return firings;
}

// `qun_conv2d.sv`, `qun_conv_transpose2d.sv` and those that have `qun_window.sv`: a buffer of `room` pixels, and firings
// of `folds` folds, each of which makes a beat, with the credits of `qun_credit_fifo.sv`.
class Matrix final : public Module {
  public:
    Matrix(const Params &params, const Ports &inputs, const Ports &outputs, Firings firings, Count in_folds, Count folds,
           Count room)
        : source_(*inputs[0]), target_(*outputs[0]), firings_(std::move(firings)),
          pixels_(params.at("Height") * params.at("Width")), in_folds_(in_folds), folds_(folds), room_(room),
          credits_(params.at("Credits")), latency_(params.at("MatrixLatency")), freed_(firings_.ahead, -1) {}

    void advance() override {
        auto &came = source_.moved;
        const auto &left = target_.moved;
        for (Count before = -1; before != size(came) + size(target_.offered);) {
            before = size(came) + size(target_.offered);
            const Count end = std::min(size(source_.offered), (size(freed_) + room_) * in_folds_);
            for (Count k = size(came); k < end; ++k) {
                cycle_ = std::max(source_.offered[k], cycle_ + 1);
                if (k >= room_ * in_folds_)
                    cycle_ = std::max(cycle_, freed_[k / in_folds_ - room_] + 1);
                came.push_back(cycle_);
            }
            for (Count beat = size(target_.offered); beat < target_.beats && beat < size(left) + credits_; ++beat) {
                const Count firing = beat / folds_, firings = size(firings_.needs);
                const Count pixel = firing / firings * pixels_ + firings_.needs[firing % firings];
                const Count taps = firings_.taps[firing % firings];
                const Count last = (pixel + 1) * in_folds_ - 1;
                if (last >= size(came))
                    break;
                Cycle start = std::max(end_ + 1, came[last] + 1);
                if (beat >= credits_)
                    start = std::max(start, left[beat - credits_] + 1);
                end_ = start + taps - 1;
                target_.offered.push_back(end_ + latency_);
                if (beat % folds_ == folds_ - 1)
                    freed_.insert(freed_.end(), firings_.frees[firing % firings], end_);
            }
        }
    }

  private:
    Wire &source_, &target_;
    Firings firings_;
    Count pixels_, in_folds_, folds_, room_, credits_;
    Cycle latency_, end_ = -1, cycle_ = -1; // of the last tap, and of the last beat that came
    std::vector<Cycle> freed_; // when a pixel's place was given up, in the pixels' order
};

// `qun_argmax.sv`, `qun_maxpool2d.sv`, `qun_global_pool2d.sv` and `qun_lookup.sv`: a pipeline of `stages` registers that
// stands still, with its gaps, while the register slice behind it is full. `makes` says whether an input beat makes an
// output beat; it repeats.
class Rigid final : public Module {
  public:
    Rigid(const Ports &inputs, const Ports &outputs, std::vector<bool> makes, Count stages)
        : source_(*inputs[0]), target_(*outputs[0]), makes_(std::move(makes)), stages_(stages) {}

    void advance() override {
        while (judge() | push() | take()) {
        }
    }

  private:
    // The slice is full from the cycle after a beat came to it until the beat before has left.
    bool judge() {
        const auto &left = target_.moved;
        if (judged_ >= size(target_.offered) || size(left) < judged_)
            return false;
        const Cycle pushed = target_.offered[judged_] - 1;
        const Cycle pause = judged_ > 0 ? std::max<Cycle>(0, left[judged_ - 1] - pushed) : 0;
        if (pause > 0)
            pauses_.emplace_back(pushed, pause);
        paused_ += pause;
        ++judged_;
        return true;
    }

    bool push() {
        if (underway_.empty() || judged_ != size(target_.offered))
            return false;
        target_.offered.push_back(underway_.front() + paused_ + 1);
        underway_.pop_front();
        return true;
    }

    bool take() {
        auto &came = source_.moved;
        const Count k = size(came);
        if (k >= size(source_.offered))
            return false;
        Cycle earliest = std::max(source_.offered[k], cycle_ + 1);
        for (const auto &[pushed, pause] : pauses_)
            if (pushed < earliest && earliest <= pushed + pause)
                earliest = pushed + pause + 1;
        const bool unknown = judged_ < size(target_.offered) && target_.offered[judged_] - 1 < earliest;
        if (unknown || (!underway_.empty() && underway_.front() + paused_ < earliest))
            return false;
        cycle_ = earliest;
        came.push_back(cycle_);
        if (makes_[k % makes_.size()]) {
            Cycle later = 0;
            for (const auto &[pushed, pause] : pauses_)
                later += pushed >= cycle_ ? pause : 0;
            underway_.push_back(cycle_ - (paused_ - later) + stages_);
        }
        while (!pauses_.empty() && pauses_.front().first + pauses_.front().second < cycle_)
            pauses_.pop_front();
        return true;
    }

    Wire &source_, &target_;
    std::vector<bool> makes_;
    Cycle stages_;
    std::deque<Cycle> underway_;                 // when beats reach the slice, in cycles in which the pipeline moves
    std::deque<std::pair<Cycle, Cycle>> pauses_; // the last pauses: the cycle before, and the length
    Cycle paused_ = 0;                           // cycles of all pauses so far
    Count judged_ = 0;                           // output beats whose pause is known
    Cycle cycle_ = -1;
};

// The beats of odd columns of odd rows make one.
inline std::vector<bool> pooled_beats(const Params &params) {
    const Count groups = params.at("Channels") / params.at("Lanes"), width = params.at("Width");
    std::vector<bool> makes(width * groups, false);
    for (Count column = 0; column < width; ++column)
        makes.insert(makes.end(), groups, column % 2 == 1);
    return makes;
}

// `qun_global_pool2d.sv`: the beats of the last pixel make one.
inline std::vector<bool> last_beats(const Params &params) {
    const Count groups = params.at("Channels") / params.at("Lanes");
    std::vector<bool> makes((params.at("Height") * params.at("Width") - 1) * groups, false);
    makes.insert(makes.end(), groups, true);
    return makes;
}

// `qun_smallest_area.sv`: a register slice, and a FIFO that gives up a frame when all of its pixels have come to the
// slice.
class WholeFrame final : public Module {
  public:
    WholeFrame(const Params &params, const Ports &inputs, const Ports &outputs)
        : source_(*inputs[0]), target_(*outputs[0]), pixels_(params.at("Pixels")),
          slice_(inputs, {&sliced_}, params.at("SliceBeats")) {
        if (params.at("Depth") <= params.at("Shallow"))
            frame_ = std::make_unique<Buffer>(Ports{&sliced_}, Ports{&stored_}, params.at("Depth"));
        else
            frame_ = std::make_unique<DeepFifo>(params, Ports{&sliced_}, Ports{&stored_});
    }

    void advance() override {
        const auto &left = target_.moved;
        stored_.moved.insert(stored_.moved.end(), left.begin() + size(stored_.moved), left.end());
        for (Count before = -1; before != size(source_.moved) + size(sliced_.moved) + size(stored_.offered);) {
            before = size(source_.moved) + size(sliced_.moved) + size(stored_.offered);
            slice_.advance();
            frame_->advance();
        }
        for (Count k = size(target_.offered); k < size(stored_.offered); ++k) {
            const Count last = (k / pixels_ + 1) * pixels_ - 1;
            if (last >= size(source_.moved))
                break;
            target_.offered.push_back(std::max(stored_.offered[k], source_.moved[last] + 1));
        }
    }

  private:
    Wire &source_, &target_;
    Count pixels_;
    Wire sliced_, stored_;
    Buffer slice_;
    std::unique_ptr<Module> frame_;
};

} // namespace qun

#endif
