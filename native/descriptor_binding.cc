#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <string>

#include "arguments.h"
#include "bindings.h"
#include "throw_errno.h"

namespace netloom {
namespace {

// Descriptors on their way from one worker to another, by token. Process-wide: workers share nothing else.
struct Parked {
  int fd;
  std::string note;
};
uv_once_t once = UV_ONCE_INIT;
uv_mutex_t mutex;
std::map<std::string, Parked>* parked;

void lock() {
  uv_once(&once, [] {
    uv_mutex_init(&mutex);
    parked = new std::map<std::string, Parked>();
  });
  uv_mutex_lock(&mutex);
}

// disownDescriptor(fd): no longer closed when this environment goes
void disown_descriptor(const Napi::CallbackInfo& info) { Environment::of(info.Env()).disown(int_of(info, 0, -1)); }

// closeDescriptor(fd)
void close_descriptor(const Napi::CallbackInfo& info) {
  int fd = int_of(info, 0, -1);
  Environment::of(info.Env()).disown(fd);
  if (::close(fd) != 0) throw_failure(info.Env(), Failure::last("close"));
}

// duplicateDescriptor(fd): close-on-exec, and closed with the environment if nobody does before
Napi::Value duplicate_descriptor(const Napi::CallbackInfo& info) {
  int fd = fcntl(int_of(info, 0, -1), F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return throw_failure(info.Env(), Failure::last("fcntl", "F_DUPFD_CLOEXEC")), info.Env().Undefined();
  Environment::of(info.Env()).own(fd);
  return Napi::Number::New(info.Env(), fd);
}

// prepareDescriptor(fd, nonBlocking): sets close-on-exec, and O_NONBLOCK as asked
void prepare_descriptor(const Napi::CallbackInfo& info) {
  int fd = int_of(info, 0, -1);
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return throw_failure(info.Env(), Failure::last("fcntl", "F_GETFL"));
  flags = bool_of(info, 1) ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (fcntl(fd, F_SETFL, flags) != 0) return throw_failure(info.Env(), Failure::last("fcntl", "F_SETFL"));
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) throw_failure(info.Env(), Failure::last("fcntl", "F_SETFD"));
}

// openPipe(): [end to read from, end to write to], close-on-exec, and closed with the environment if nobody does before
Napi::Value open_pipe(const Napi::CallbackInfo& info) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return throw_failure(info.Env(), Failure::last("pipe2")), info.Env().Undefined();
  Napi::Array pair = Napi::Array::New(info.Env(), 2);
  for (uint32_t i = 0; i < 2; i++) {
    Environment::of(info.Env()).own(ends[i]);
    pair.Set(i, ends[i]);
  }
  return pair;
}

// park(token, fd, note): the descriptor now belongs to the token
void park(const Napi::CallbackInfo& info) {
  std::string token = info[0].As<Napi::String>(), note = info[2].As<Napi::String>();
  int fd = int_of(info, 1, -1);
  Environment::of(info.Env()).disown(fd);
  lock();
  (*parked)[token] = {fd, note};
  uv_mutex_unlock(&mutex);
}

// claim(token): { fd, note }, once, closed with the environment if nobody does before; undefined for an unknown token
Napi::Value claim(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string token = info[0].As<Napi::String>();
  lock();
  auto found = parked->find(token);
  bool known = found != parked->end();
  Parked entry;
  if (known) {
    entry = found->second;
    parked->erase(found);
  }
  uv_mutex_unlock(&mutex);
  if (!known) return env.Undefined();
  Environment::of(env).own(entry.fd);
  Napi::Object object = Napi::Object::New(env);
  object.Set("fd", entry.fd);
  object.Set("note", entry.note);
  return object;
}

}  // namespace

namespace {

Opened run(int network, OpenJob job, const void* argument) {
  struct Call {
    int network;
    OpenJob job;
    const void* argument;
    Opened out;
  } call = {network, job, argument, {}};
  uv_thread_t thread;
  int error = uv_thread_create(
      &thread,
      [](void* data) {
        auto* call = static_cast<Call*>(data);
        call->out = open_in_namespace(call->network, call->job, call->argument);
      },
      &call);
  if (error != 0) {
    call.out.failure = {-error, "pthread_create", nullptr};
    return call.out;
  }
  uv_thread_join(&thread);
  return call.out;
}

}  // namespace

Opened open_on_thread(int network, OpenJob job, const void* argument) {
  return network < 0 ? open_in_namespace(-1, job, argument) : run(network, job, argument);
}

Opened run_on_thread(OpenJob job, const void* argument) { return run(-1, job, argument); }

void define_descriptors(Napi::Env env, Napi::Object exports) {
  exports.Set("disownDescriptor", Napi::Function::New(env, disown_descriptor, "disownDescriptor"));
  exports.Set("closeDescriptor", Napi::Function::New(env, close_descriptor, "closeDescriptor"));
  exports.Set("duplicateDescriptor", Napi::Function::New(env, duplicate_descriptor, "duplicateDescriptor"));
  exports.Set("prepareDescriptor", Napi::Function::New(env, prepare_descriptor, "prepareDescriptor"));
  exports.Set("openPipe", Napi::Function::New(env, open_pipe, "openPipe"));
  exports.Set("park", Napi::Function::New(env, park, "park"));
  exports.Set("claim", Napi::Function::New(env, claim, "claim"));
}

}  // namespace netloom
