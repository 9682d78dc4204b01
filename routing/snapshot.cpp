#include "routing/snapshot.hpp"

#include "routing/state_bytes.hpp"

namespace turnout::routing {
namespace {

constexpr std::string_view magic = "turnout-routing";
constexpr std::chrono::hours too_old{24 * 30};

std::uint64_t checksum(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

std::uint64_t seconds_of(payments::wall_time at) noexcept {
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  return since < 0 ? 0 : static_cast<std::uint64_t>(since);
}

}  // namespace

std::string seal(std::string_view content, payments::wall_time now) {
  state_writer out;
  out.bytes().reserve(content.size() + 64);
  out.bytes() = magic;
  out.integer(snapshot_version);
  out.integer(seconds_of(now));
  out.text(content);
  out.integer(checksum(out.bytes()));
  return std::move(out.bytes());
}

opened_snapshot unseal(std::string_view bytes, payments::wall_time now) {
  const auto refused = [](std::string why) { return opened_snapshot{std::move(why), {}, 0}; };
  if (!bytes.starts_with(magic)) return refused("it is not a snapshot of routing state");
  state_reader from(bytes.substr(magic.size()));
  const auto version = from.integer<std::uint32_t>();
  if (from.good() && version != snapshot_version)
    return refused("it is of version " + std::to_string(version) + ", this program reads version " +
                   std::to_string(snapshot_version));
  const auto taken_at = from.integer<std::uint64_t>();
  const std::string_view content = from.text();
  const auto sum = from.integer<std::uint64_t>();
  if (!from.at_end() || sum != checksum(bytes.substr(0, bytes.size() - sizeof sum)))
    return refused("it is damaged: the checksum does not match");
  const std::uint64_t current = seconds_of(now), age = current > taken_at ? current - taken_at : 0;
  if (age > static_cast<std::uint64_t>(std::chrono::seconds(too_old).count()))
    return refused("it is older than thirty days");
  return {{}, content, static_cast<double>(age)};
}

}  // namespace turnout::routing
