// What is said when a process is dying (lives.cc): a datagram over a channel of ours, before any JavaScript hears of it. A
// channel says one at most, that of the first who dies.
#include "wills.h"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "datagram.h"
#include "kernel.h"

namespace monoceros {
namespace {

struct Will {
  pid_t of;
  int channel;
  std::vector<uint8_t> data;
  std::vector<int> fds;
};
struct Said {
  int channel;
  pid_t of;
};

std::mutex guard;  // of both
std::vector<Will> wills;
std::vector<Said> said;

template <typename Item, typename Condition>
void remove_if(std::vector<Item>& items, Condition condition) {
  items.erase(std::remove_if(items.begin(), items.end(), condition), items.end());
}

auto said_over(int channel) {
  return std::find_if(said.begin(), said.end(), [channel](const Said& one) { return one.channel == channel; });
}

void set_will(const Napi::CallbackInfo& info) {
  const pid_t of = integer(info[0]);
  const int channel = integer(info[1]);
  Outgoing parcel = outgoing(info[2], info[3]);
  const uint8_t* data = parcel.data.Data();
  const std::lock_guard<std::mutex> lock(guard);
  if (said_over(channel) != said.end()) return;
  remove_if(wills, [=](const Will& will) { return will.of == of && will.channel == channel; });
  // Moved: a copy would ask for a newer libstdc++ than Node does.
  wills.push_back({of, channel, {data, data + parcel.data.ByteLength()}, std::move(parcel.fds)});
}

Napi::Value revoke_wills(const Napi::CallbackInfo& info) {
  const int channel = integer(info[0]);
  const std::lock_guard<std::mutex> lock(guard);
  remove_if(wills, [channel](const Will& will) { return will.channel == channel; });
  const auto last = said_over(channel);
  if (last == said.end()) return info.Env().Null();
  const pid_t of = last->of;
  said.erase(last);
  return Napi::Number::New(info.Env(), of);
}

}  // namespace

void carry_out_will(pid_t of) {
  const std::lock_guard<std::mutex> lock(guard);
  const auto will = std::find_if(wills.begin(), wills.end(), [of](const Will& one) { return one.of == of; });
  if (will == wills.end()) return;
  const int channel = will->channel;
  if (send_datagram(channel, will->data.data(), will->data.size(), will->fds)) said.push_back({channel, of});
  remove_if(wills, [channel](const Will& one) { return one.channel == channel; });
}

void forget_wills_of(pid_t of) {
  const std::lock_guard<std::mutex> lock(guard);
  remove_if(wills, [of](const Will& will) { return will.of == of; });
}

void forget_wills_with(int fd) {
  const std::lock_guard<std::mutex> lock(guard);
  remove_if(wills, [fd](const Will& will) {
    return will.channel == fd || std::find(will.fds.begin(), will.fds.end(), fd) != will.fds.end();
  });
  remove_if(said, [fd](const Said& one) { return one.channel == fd; });
}

void install_wills(Napi::Env env, Napi::Object exports) {
  put(env, exports, "setWill", set_will);
  put(env, exports, "revokeWills", revoke_wills);
}

}  // namespace monoceros
