#pragma once
// The last guard before a line is written: whatever looks like a card number
// is masked, however it was spelled. Nothing should ever get this far; this is
// for the day when something does.
#include <string>
#include <string_view>

namespace turnout::telemetry {

/// What stands for a card number in the output.
inline constexpr std::string_view redacted_mark = "[redacted]";

/// Appends `text` to `out`, with every card number in it replaced. A card number
/// is a run of 12 to 19 digits that passes Luhn, or, inside a longer or failing
/// run, the digits of a known brand in that brand's lengths that pass. Between
/// digits there may be up to three spaces, dashes or plus signs; digits and
/// separators may be percent-encoded or written as \u00XX.
void append_redacted(std::string_view text, std::string& out);

std::string redacted(std::string_view text);

}  // namespace turnout::telemetry
