// The exact schedule of a streaming design: streams, and the modules that hand their beats on.
//
// A beat moves in the first cycle in which it is offered, its reader has room for it, and the beat before it has
// moved. Each module adds its own rules, which stand in the headers beside this one, each with the name of the
// SystemVerilog file that it is taken from.
#ifndef QUN_SCHEDULE_H_
#define QUN_SCHEDULE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace qun {

using Count = std::int64_t;
using Cycle = std::int64_t;
using Params = std::map<std::string, Count>;

// One stream: the cycles from which its beats are offered, and those in which they move.
struct Wire {
    Count beats = 0;
    std::vector<Cycle> offered;
    std::vector<Cycle> moved;
};

inline Count size(const std::vector<Cycle> &cycles) { return static_cast<Count>(cycles.size()); }

class Module {
  public:
    virtual ~Module() = default;

    // Solves as many recurrences as the known cycles of the streams allow.
    virtual void advance() = 0;
};

using Ports = std::vector<Wire *>;

} // namespace qun

#endif
