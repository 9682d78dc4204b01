// A body as application/x-www-form-urlencoded: nested mappings as a[b]=c,
// lists as a[0]=c or a[]=c.
#include "connectors/template_parts.hpp"

namespace turnout::connectors {
namespace {

std::string percent_encoded(std::string_view text) {
  output out(text.size());
  append_percent(out, text);
  return out.take();
}

class form_compiler {
 public:
  form_compiler(const template_scope& scope, list_names lists, const std::optional<body_addition>& addition)
      : scope_(scope), lists_(lists), addition_(addition) {}

  bool body(const settings::value& in) {
    bool good = mapping(in, "", addition_ ? 0 : no_addition).good;
    if (addition_) good = add() && good;
    return good;
  }
  pieces take() { return std::move(out_); }

 private:
  static constexpr std::size_t no_addition = static_cast<std::size_t>(-1);
  struct written {
    bool good = true;
    bool sure = false;  ///< something of it is always sent
  };

  written mapping(const settings::value& in, const std::string& prefix, std::size_t depth_of_addition) {
    written all;
    for (const settings::entry& each : in.entries()) {
      const bool on_path =
          addition_ && depth_of_addition < addition_->path.size() && addition_->path[depth_of_addition] == each.key;
      const bool into = on_path && depth_of_addition + 1 < addition_->path.size() && each.item.is_map();
      if (on_path && !into) {
        each.key_value.error("the body's key '" + each.key +
                             "' is the idempotency key's place; remove it here, or change idempotency.name");
        all.good = false;
      }
      const std::string name = percent_encoded(each.key);
      const written one = value(each.item, prefix.empty() ? name : prefix + '[' + name + ']',
                                into ? depth_of_addition + 1 : no_addition);
      all.good = one.good && all.good;
      all.sure = one.sure || all.sure;
    }
    return all;
  }

  written value(const settings::value& in, const std::string& name, std::size_t depth_of_addition) {
    if (carries_authentication(in)) return authentication(in, name, depth_of_addition);
    if (in.is_map()) return mapping(in, name, depth_of_addition);
    if (in.is_list()) return list(in, name);
    if (in.is_null()) {
      begin_field(name);
      return {true, true};
    }
    const auto parts = split(in, scope_);
    if (!parts) return {false, true};
    const bool skipped = may_be_empty(*parts);
    const std::size_t guard = out_.size();
    if (skipped) {
      piece& skip = out_.emplace_back();
      skip.what = piece::action::skip_if_empty;
      skip.id = parts->front().inserted->id;
      skip.text = parts->front().key;
    }
    field(name, *parts);
    if (skipped) out_[guard].skip = out_.size() - guard - 1;
    return {true, !skipped};
  }

  written authentication(const settings::value& in, const std::string& name, std::size_t depth_of_addition) {
    const std::size_t guard = out_.size();
    piece& skip = out_.emplace_back();
    skip.what = piece::action::skip_if_empty;
    skip.id = variable::authentication_cryptogram;
    const bool good = mapping(in, name, depth_of_addition).good;
    out_[guard].skip = out_.size() - guard - 1;
    return {good, false};
  }

  written list(const settings::value& in, const std::string& name) {
    written all;
    const std::vector<settings::value> items = in.items();
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string index = lists_ == list_names::indexed ? std::to_string(i) : std::string();
      const written one = value(items[i], name + '[' + index + ']', no_addition);
      // A gap in the indexes is another list to some gateways, and an error to others.
      if (one.good && !one.sure && i + 1 < items.size() && lists_ == list_names::indexed) {
        items[i].error("this item is left out when its variable is empty, and would leave a gap in '" + name +
                       "'; put it last, or say arrays: brackets");
        all.good = false;
      }
      all.good = one.good && all.good;
      all.sure = one.sure || all.sure;
    }
    return all;
  }

  /// The idempotency key, which the body does not have.
  bool add() {
    std::string name;
    for (const std::string& key : addition_->path)
      name += name.empty() ? percent_encoded(key) : '[' + percent_encoded(key) + ']';
    template_scope key_scope = scope_;
    key_scope.key = true;
    const auto parts = split(addition_->content, key_scope);
    if (parts) field(name, *parts);
    return parts.has_value();
  }

  void begin_field(const std::string& name) {
    piece& separator = out_.emplace_back();
    separator.what = piece::action::join;
    separator.text = "&";
    add_literal(out_, name + '=');
  }

  void field(const std::string& name, const std::vector<part>& parts) {
    begin_field(name);
    for (const part& each : parts) {
      if (each.inserted)
        add_insert(out_, each.inserted->id, each.key, escape::percent);
      else
        add_literal(out_, percent_encoded(each.literal));
    }
  }

  template_scope scope_;
  list_names lists_;
  const std::optional<body_addition>& addition_;
  pieces out_;
};

}  // namespace

std::optional<pieces> compile_form(const settings::value& in, const template_scope& scope, list_names lists,
                                   const std::optional<body_addition>& addition) {
  if (!in.is_map()) {
    static_cast<void>(in.entries());  // says what is wrong
    return std::nullopt;
  }
  form_compiler compiler(scope, lists, addition);
  if (!compiler.body(in)) return std::nullopt;
  return compiler.take();
}

}  // namespace turnout::connectors
