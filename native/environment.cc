#include "environment.h"

#include <unistd.h>

#include "port_report.h"
#include "sys/frame_writer.h"

namespace netloom {

Environment::Environment(Napi::Env env)
    : report_memory(SharedMemory::allocate(kReportSize * sizeof(int32_t))),
      report(reinterpret_cast<int32_t*>(report_memory->data())),
      env_(env) {}

Environment::~Environment() {
  ports->drop();
  slabs->drop();
  report_memory->drop();
  delete writing_memory_;
}

WritingMemory& Environment::writing_memory() {
  if (!writing_memory_) writing_memory_ = new WritingMemory;
  return *writing_memory_;
}

Environment* Environment::create(Napi::Env env) {
  auto* environment = new Environment(env);
  napi_get_uv_event_loop(env, &environment->loop_);
  napi_value name;
  napi_create_string_utf8(env, "netloom", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, nullptr, name, &environment->context_);
  napi_add_async_cleanup_hook(env, clean_up, environment, &environment->hook_);
  napi_set_instance_data(
      env, environment, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr);
  return environment;
}

void Environment::clean_up(napi_async_cleanup_hook_handle hook, void* data) {
  auto* environment = static_cast<Environment*>(data);
  environment->exiting_ = true;
  while (LoopResource* resource = environment->first_) {
    environment->detach(*resource);
    resource->close_for_exit();
  }
  for (int fd : environment->owned_) ::close(fd);
  environment->owned_.clear();
  if (environment->context_) napi_async_destroy(environment->env_, environment->context_);
  environment->context_ = nullptr;
  environment->finish_if_done();
}

void Environment::finish_if_done() {
  if (!exiting_ || closing_ > 0 || !hook_) return;
  auto hook = hook_;
  hook_ = nullptr;
  napi_remove_async_cleanup_hook(hook);
}

void Environment::attach(LoopResource& resource) {
  resource.next_ = first_;
  if (first_) first_->previous_ = &resource;
  first_ = &resource;
}

void Environment::detach(LoopResource& resource) {
  if (resource.previous_) resource.previous_->next_ = resource.next_;
  if (resource.next_) resource.next_->previous_ = resource.previous_;
  if (first_ == &resource) first_ = resource.next_;
  resource.previous_ = resource.next_ = nullptr;
}

void Environment::closing_finished() {
  closing_--;
  finish_if_done();
}

void Environment::call(const Napi::FunctionReference& function, size_t count, const napi_value* values) {
  if (exiting_ || function.IsEmpty()) return;
  napi_value callee = function.Value();
  napi_value receiver, result;
  // make_callback wants an object as receiver.
  napi_get_global(env_, &receiver);
  if (napi_make_callback(env_, context_, receiver, callee, count, values, &result) == napi_ok) return;
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(env_, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env_, &exception) == napi_ok) {
    napi_fatal_exception(env_, exception);
  }
}

void Environment::tell_ready(const Napi::FunctionReference& on_ready, int status, int events, int32_t count) {
  Napi::HandleScope scope(env_);
  napi_value values[3];
  napi_create_int32(env_, status, &values[0]);
  napi_create_int32(env_, events, &values[1]);
  napi_create_int32(env_, count, &values[2]);
  call(on_ready, 3, values);
}

}  // namespace netloom
