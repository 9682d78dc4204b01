#include "proxy/api/payment_reading.hpp"

#include "proxy/api/answers.hpp"
#include "proxy/api/compression.hpp"
#include "proxy/api/entity_tag.hpp"
#include "proxy/api/field_selection.hpp"
#include "proxy/api/payment_list.hpp"
#include "proxy/api/render.hpp"

namespace turnout::api {

namespace {

/// Whether it is compressed depends on the size too: Vary stands on every answer.
net::response coded_answer(const net::headers& request, std::string body) {
  net::response made{200, {{"Content-Type", "application/json"}, {"Vary", "Accept-Encoding"}}, std::move(body)};
  if (choose_coding(request, made.body.size()) == coding::gzip) {
    made.body = gzip(made.body);
    made.fields.emplace_back("Content-Encoding", "gzip");
  }
  return made;
}

net::response tagged_answer(const net::headers& request, std::string body) {
  net::response made = coded_answer(request, std::move(body));
  std::string tag = entity_tag(made.body);
  if (matches_none_match(request, tag)) made = {304, {{"Vary", "Accept-Encoding"}}, {}};
  made.fields.emplace_back("ETag", std::move(tag));
  return made;
}

field_selection read_fields(const query& asked, std::vector<field_error>& errors) {
  const std::string* names = asked.find("fields");
  return names ? field_selection::read(*names, errors) : field_selection();
}

}  // namespace

read_answer payment_reading::one(const read_request& request) const {
  std::vector<field_error> errors = request.faults;
  const field_selection shown = read_fields(request.asked, errors);
  if (!errors.empty()) return invalid(std::move(errors));
  const auto found = request.from.find_own(request.who.merchant, request.who.livemode, request.payment);
  if (!found) return no_payment();
  return tagged_answer(request.fields, shown.of(render_payment(*found)));
}

read_answer payment_reading::list(const read_request& request) const {
  std::vector<field_error> errors = request.faults;
  const core::payment_filter wanted = read_payment_filter(request.asked, cursors_, request.who, errors);
  const field_selection shown = read_fields(request.asked, errors);
  if (!errors.empty()) return invalid(std::move(errors));
  const core::payment_page page = request.from.list(wanted);
  std::string data = "[";
  for (const payments::payment& each : page.payments) {
    if (data.size() > 1) data.push_back(',');
    data.append(shown.of(render_payment(each)));
  }
  data.push_back(']');
  const std::string next = page.next ? cursors_.write(request.who, payments_list, *page.next) : std::string();
  return coded_answer(request.fields, render_list(std::move(data), next));
}

read_answer payment_reading::captures(const read_request& request) const {
  return modifications(request, payments::modification_kind::capture);
}

read_answer payment_reading::refunds(const read_request& request) const {
  return modifications(request, payments::modification_kind::refund);
}

read_answer payment_reading::modifications(const read_request& request, payments::modification_kind kind) const {
  if (!request.faults.empty()) return invalid(request.faults);
  const auto found = request.from.find_own(request.who.merchant, request.who.livemode, request.payment);
  if (!found) return no_payment();
  return coded_answer(request.fields, render_modifications(*found, kind));
}

read_answer payment_reading::attempts(const read_request& request) const {
  if (!request.faults.empty()) return invalid(request.faults);
  const auto found = request.from.find_own(request.who.merchant, request.who.livemode, request.payment);
  if (!found) return no_payment();
  return coded_answer(request.fields, render_attempts(*found));
}

template <class Read, class Render>
read_answer payment_reading::part(const read_request& request, const char* name, const Read& read,
                                  const Render& render) const {
  const std::string list = std::string(request.payment) + "/" + name;
  std::vector<field_error> errors = request.faults;
  const std::size_t limit = read_limit(request.asked, most_listed, errors);
  const auto skip = static_cast<std::size_t>(read_cursor(request.asked, cursors_, request.who, list, 0, errors));
  if (!errors.empty()) return invalid(std::move(errors));
  if (!request.from.find_own(request.who.merchant, request.who.livemode, request.payment)) return no_payment();
  auto items = read(skip, limit + 1);
  std::string next;
  if (items.size() > limit) {
    items.resize(limit);
    next = cursors_.write(request.who, list, static_cast<std::int64_t>(skip + limit));
  }
  return coded_answer(request.fields, render(items, next));
}

read_answer payment_reading::events(const read_request& request) const {
  return part(
      request, "events",
      [&](std::size_t skip, std::size_t count) { return request.from.events_of(request.payment, skip, count); },
      render_events);
}

read_answer payment_reading::decisions(const read_request& request) const {
  return part(
      request, "decisions",
      [&](std::size_t skip, std::size_t count) { return request.from.decisions_of(request.payment, skip, count); },
      render_decisions);
}

}  // namespace turnout::api
