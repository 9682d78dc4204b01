#pragma once
// A form body (application/x-www-form-urlencoded) as the object that its names
// describe: a[b]=c is {"a": {"b": "c"}}. Every value is a text.
#include <string_view>

#include <boost/json.hpp>

#include "payments/card.hpp"

namespace turnout::sandbox {

/// The memory it was parsed into is wiped afterwards: it held a card.
class form_body {
 public:
  /// An empty text is an empty object.
  explicit form_body(std::string_view text);
  /// Null when the text is not a form: bad percent-encoding or brackets, a name
  /// given twice or both with and without members, too many or too deep.
  const boost::json::object* object() const noexcept { return root_.if_object(); }

  static constexpr std::size_t most_fields = 200;
  static constexpr std::size_t deepest_name = 8;

 private:
  struct wiped_buffer {
    unsigned char bytes[4096];
    ~wiped_buffer() { payments::secure_wipe(bytes, sizeof bytes); }
  };

  wiped_buffer buffer_;
  boost::json::monotonic_resource memory_;
  boost::json::value root_;
};

}  // namespace turnout::sandbox
