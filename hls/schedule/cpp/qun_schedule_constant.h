// Rules of the convolution by constants, `qun_conv2d_constant.sv`.
#ifndef QUN_SCHEDULE_CONSTANT_H_
#define QUN_SCHEDULE_CONSTANT_H_

#include "qun_schedule.h"

#include <optional>

namespace qun {

using Known = std::optional<Cycle>; // nothing where a cycle is not known yet

class ConstantConv : public Module {
  public:
    void advance() override {
        while (step()) {
        }
    }

  protected:
    ConstantConv(const Params &params, const Ports &inputs, const Ports &outputs)
        : source_(*inputs[0]), target_(*outputs[0]), height_(params.at("Height")), width_(params.at("Width")),
          credits_(params.at("Credits")), latency_(params.at("Latency")) {}

    // Solves one more recurrence of each kind, if it can be.
    virtual bool step() = 0;

    // From when on there is a credit for a beat.
    Known credit(Count beat) const {
        if (beat < credits_)
            return 0;
        return beat - credits_ < size(target_.moved) ? Known(target_.moved[beat - credits_] + 1) : Known();
    }

    // From when on the next pixel could come.
    Known offered(Count pixel) const {
        if (pixel >= size(source_.offered))
            return {};
        return std::max(source_.offered[pixel], source_.moved.empty() ? 0 : source_.moved.back() + 1);
    }

    Wire &source_, &target_;
    Count height_, width_, credits_;
    Cycle latency_;
};

// 1x1: a pixel comes when there is a credit.
class ConstantPoint final : public ConstantConv {
  public:
    using ConstantConv::ConstantConv;
    ConstantPoint(const Params &params, const Ports &inputs, const Ports &outputs)
        : ConstantConv(params, inputs, outputs) {}

  private:
    bool step() override {
        const Count beat = size(source_.moved);
        const Known cycle = offered(beat), room = credit(beat);
        if (!cycle || !room)
            return false;
        source_.moved.push_back(std::max(*cycle, *room));
        target_.offered.push_back(source_.moved.back() + latency_);
        return true;
    }
};

// 3x3: columns are fetched, move to the middle of the window, and the window is taken.
class ConstantWindow final : public ConstantConv {
  public:
    ConstantWindow(const Params &params, const Ports &inputs, const Ports &outputs)
        : ConstantConv(params, inputs, outputs) {}

  private:
    bool step() override { return load() | fetch() | move() | take(); }

    // A pixel of a frame's first row comes when its column of the last row before it is fetched, or later.
    bool load() {
        const Count pixel = size(source_.moved), pixels = height_ * width_;
        const Count frame = pixel / pixels, place = pixel % pixels;
        if (height_ == 1 || place >= width_)
            return false;
        const Count above = frame * pixels - width_ + place;
        const Known earliest = offered(pixel);
        if (!earliest || (frame > 0 && above >= size(fetched_)))
            return false;
        source_.moved.push_back(frame > 0 ? std::max(*earliest, fetched_[above]) : *earliest);
        return true;
    }

    // A column is fetched when the one before it has moved or moves, and the pixel below it comes.
    bool fetch() {
        const Count column = size(fetched_), pixels = height_ * width_;
        if (size(moved_) < column)
            return false;
        Cycle earliest = column > 0 ? std::max(moved_.back(), fetched_.back() + 1) : 0;
        const Count below = height_ > 1 ? column + width_ : column;
        if (height_ == 1 || column % pixels < pixels - width_) {
            const Known came = offered(below);
            if (size(source_.moved) != below || !came)
                return false;
            earliest = std::max(earliest, *came);
            source_.moved.push_back(earliest);
        }
        fetched_.push_back(earliest);
        return true;
    }

    bool move() {
        const Count column = size(moved_);
        if (column >= size(fetched_) || size(taken_) < column)
            return false;
        moved_.push_back(std::max(fetched_[column] + 1, column > 0 ? taken_.back() : 0));
        return true;
    }

    // A window is taken when its column is in the middle, the next one of its row is fetched, and with a credit.
    bool take() {
        const Count beat = size(taken_);
        const bool row_ends = beat % width_ == width_ - 1;
        const Known room = credit(beat);
        if (beat >= size(moved_) || !room || (!row_ends && beat + 1 >= size(fetched_)))
            return false;
        const Cycle next = row_ends ? 0 : fetched_[beat + 1] + 1;
        taken_.push_back(std::max({moved_[beat] + 1, *room, next}));
        target_.offered.push_back(taken_.back() + latency_);
        return true;
    }

    std::vector<Cycle> fetched_, moved_, taken_;
};

} // namespace qun

#endif
