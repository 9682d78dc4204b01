#pragma once
// An explanation (docs/operations.md) as a table for people.
#include <string>

#include <boost/json/object.hpp>

namespace turnout::cli {

/// `remark` says where what was learned comes from. Throws std::exception when `from` is none.
std::string explanation_table(const boost::json::object& from, const std::string& remark);

}  // namespace turnout::cli
