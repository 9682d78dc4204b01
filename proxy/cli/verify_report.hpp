#pragma once
// What a verification found, for people and for programs.
#include <string>

#include <boost/json/object.hpp>

#include "proxy/journal/verify.hpp"

namespace turnout::cli {

std::string as_text(const std::string& path, const journal::verify_report& report);
boost::json::object as_json(const std::string& path, const journal::verify_report& report);

}  // namespace turnout::cli
