// `match:` blocks. All keys of a block must hold; any:, all: and not: combine
// further blocks.
#include <algorithm>

#include "policies/matchers.hpp"
#include "policies/reading.hpp"

namespace turnout::policies {
namespace {

using settings::value;

std::string_view method_of(const match_input& input) { return input.method; }
std::string_view merchant_of(const match_input& input) { return input.merchant; }
std::string_view country_of(const match_input& input) { return input.customer_country; }
payments::card_brand brand_of(const match_input& input) { return input.brand; }
payments::currency currency_of(const match_input& input) { return input.amount.unit; }
payments::capture_mode capture_of(const match_input& input) { return input.capture; }

std::unique_ptr<const all_of> read_block(const value& from, bool top);

/// Reads a scalar or a list with `read_one`; an empty list could never match.
template <class Matcher, class Value, class Read>
void add_listed(const value& from, std::vector<matcher_ptr>& into, Read read_one) {
  if (!from.present()) return;
  std::vector<Value> values;
  const std::vector<value> items = from.one_or_more();
  if (from.is_list() && items.empty()) from.error("'" + from.name() + "' must not be empty: nothing would match");
  for (const value& item : items)
    if (auto read = read_one(item)) values.push_back(std::move(*read));
  into.push_back(std::make_unique<Matcher>(from.name(), std::move(values)));
}

std::optional<std::string> read_method(const value& from) { return from.one_of({"card"}); }

std::optional<std::string> read_text(const value& from) { return from.text(); }

std::optional<payments::currency> read_currency(const value& from) {
  const auto code = from.text();
  if (!code) return std::nullopt;
  const auto unit = payments::currency::find(*code);
  if (!unit) from.error("'" + *code + "' is not an ISO 4217 currency; allowed: three upper-case letters such as EUR");
  return unit;
}

std::optional<std::string> read_country(const value& from) {
  auto code = from.text();
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (!code || (code->size() == 2 && std::all_of(code->begin(), code->end(), upper))) return code;
  from.error("'" + *code + "' is not a country; allowed: two upper-case letters such as DE (ISO 3166-1)");
  return std::nullopt;
}

std::optional<std::string> read_bin(const value& from) {
  auto digits = from.text();
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!digits || (digits->size() <= 6 && std::all_of(digits->begin(), digits->end(), digit))) return digits;
  from.error("'" + from.name() + "' must be the card number's first 1 to 6 digits");
  return std::nullopt;
}

std::optional<payments::card_brand> read_brand(const value& from) {
  std::vector<std::string_view> allowed;
  for (std::size_t i = 0; i < payments::card_brand_count; ++i)
    allowed.push_back(to_string(static_cast<payments::card_brand>(i)));
  const auto word = from.one_of(allowed);
  return word ? payments::parse_card_brand(*word) : std::nullopt;
}

std::optional<payments::capture_mode> read_capture(const value& from) {
  using payments::capture_mode;
  return from.choice<capture_mode>({{"automatic", capture_mode::automatic}, {"manual", capture_mode::manual}});
}

void add_amount(const value& from, std::vector<matcher_ptr>& into) {
  if (!from.present()) return;
  const settings::fields bounds(from, {"below", "at_most", "at_least", "above"});
  bool any = false;
  for (const auto& [key, how] : {std::pair{"below", comparison::below},
                                 {"at_most", comparison::at_most},
                                 {"at_least", comparison::at_least},
                                 {"above", comparison::above}}) {
    const value bound = bounds.optional(key);
    any |= bound.present();
    if (const auto amount = read_money(bound)) into.push_back(std::make_unique<amount_compares>(how, *amount));
  }
  if (from.is_map() && !any && from.entries().empty())
    from.error("'amount' needs a bound; allowed: below, at_most, at_least, above");
}

std::vector<matcher_ptr> read_blocks(const value& from) {
  std::vector<matcher_ptr> blocks;
  const std::vector<value> items = from.items();
  if (from.is_list() && items.empty()) from.error("'" + from.name() + "' must have at least one block");
  for (const value& item : items) blocks.push_back(read_block(item, false));
  return blocks;
}

std::vector<matcher_ptr> read_conditions(const settings::fields& block) {
  std::vector<matcher_ptr> all;
  add_listed<listed<std::string, method_of>, std::string>(block.optional("method"), all, read_method);
  add_listed<listed<payments::currency, currency_of>, payments::currency>(block.optional("currency"), all,
                                                                          read_currency);
  add_listed<listed<std::string, merchant_of>, std::string>(block.optional("merchant"), all, read_text);
  add_listed<listed<payments::card_brand, brand_of>, payments::card_brand>(block.optional("brand"), all, read_brand);
  add_listed<bin_within, std::string>(block.optional("bin"), all, read_bin);
  add_listed<listed<std::string, country_of>, std::string>(block.optional("country"), all, read_country);
  add_listed<listed<payments::capture_mode, capture_of>, payments::capture_mode>(block.optional("capture"), all,
                                                                                 read_capture);
  add_amount(block.optional("amount"), all);
  if (const value from = block.optional("any")) all.push_back(std::make_unique<any_of>(read_blocks(from)));
  if (const value from = block.optional("all")) all.push_back(std::make_unique<all_of>(read_blocks(from)));
  if (const value from = block.optional("not")) all.push_back(std::make_unique<negation>(read_block(from, false)));
  return all;
}

std::unique_ptr<const all_of> read_block(const value& from, bool top) {
  const settings::fields block(
      from, {"method", "currency", "amount", "merchant", "brand", "bin", "country", "capture", "any", "all", "not"});
  if (!top && from.is_map() && from.entries().empty())
    from.error("an empty block matches everything; write at least one condition");
  return std::make_unique<all_of>(read_conditions(block));
}

}  // namespace

std::shared_ptr<const matcher> read_match(const settings::value& from) {
  if (!from.present() || (from.is_map() && from.entries().empty())) return nullptr;
  return read_block(from, true);
}

}  // namespace turnout::policies
