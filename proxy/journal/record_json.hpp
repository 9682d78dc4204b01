#pragma once
// A payment's record as the JSON text that the journal keeps, and back.
//
// The text has "v":1 in front. A member that is empty, false, zero or absent in
// the record is left out; every other text, byte for byte, comes back as it was.
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "payments/payment.hpp"

namespace turnout::journal {

/// A stored record that cannot be read. The text names the member at fault,
/// never its value.
class damaged_record : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Appends to `out`; on the payment path, so it allocates nothing but growth of `out`.
void write_record(const payments::payment& record, std::string& out);

/// Appends `[["type",nanoseconds,"attempt","code"],…]`, allocating as write_record() does. An event with an
/// amount has two more elements: minor units and currency.
void write_events(const std::vector<payments::payment_event>& events, std::string& out);

/// Appends an array of `values`, which are JSON texts.
void write_array(const std::vector<std::string>& values, std::string& out);

/// Strict: a missing, unknown or ill-typed member throws damaged_record.
payments::payment read_record(std::string_view json);

/// What write_events() wrote; strict, as read_record() is.
std::vector<payments::payment_event> read_events(std::string_view json);

/// Throws damaged_record for a word that is no event's.
payments::payment_event_type read_event_type(std::string_view word);

/// Nanoseconds since 1970, as times are stored.
std::int64_t to_stored(payments::wall_time when) noexcept;
payments::wall_time from_stored(std::int64_t nanoseconds) noexcept;

}  // namespace turnout::journal
