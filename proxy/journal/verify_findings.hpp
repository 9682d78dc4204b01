#pragma once
// How the parts of a verification tell what they find.
#include <utility>

#include "proxy/journal/verify.hpp"

namespace turnout::journal {

class findings {
 public:
  findings(verify_report& into, std::size_t most) : into_(into), most_(most) {}
  void add(check about, std::string text, std::int64_t link = 0, std::string payment = {}) {
    ++into_.findings_total;
    if (into_.findings.size() < most_) into_.findings.push_back({about, link, std::move(payment), std::move(text)});
  }
  std::int64_t total() const noexcept { return into_.findings_total; }

 private:
  verify_report& into_;
  std::size_t most_;
};

}  // namespace turnout::journal
