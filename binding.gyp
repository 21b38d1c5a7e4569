{
  "targets": [
    {
      "target_name": "netloom",
      "sources": [
        "native/module.cc",
        "native/environment.cc",
        "native/arguments.cc",
        "native/throw_errno.cc",
        "native/loop_poll.cc",
        "native/slab.cc",
        "native/descriptor_binding.cc",
        "native/forwarding.cc",
        "native/frame_port_binding.cc",
        "native/tuntap_binding.cc",
        "native/netns_binding.cc",
        "native/offload_binding.cc",
        "native/netlink_binding.cc",
        "native/ethtool_binding.cc",
        "native/udp_binding.cc",
        "native/sys/endpoint_table.cc",
        "native/sys/udp_socket.cc",
        "native/packet_binding.cc",
        "native/port.cc",
        "native/packet_opening.cc",
        "native/recording.cc",
        "native/sys/bpf.cc",
        "native/sys/checksum.cc",
        "native/sys/coalescing.cc",
        "native/sys/ethtool.cc",
        "native/sys/forward.cc",
        "native/sys/forward_observer.cc",
        "native/sys/forwarder.cc",
        "native/sys/frame_io.cc",
        "native/sys/frame_splitter.cc",
        "native/sys/frame_writer.cc",
        "native/sys/inet_socket.cc",
        "native/sys/namespace.cc",
        "native/sys/macvtap.cc",
        "native/sys/netns.cc",
        "native/sys/netlink_socket.cc",
        "native/sys/packet_recorder.cc",
        "native/sys/packet_ring.cc",
        "native/sys/packet_socket.cc",
        "native/sys/segmentation.cc",
        "native/sys/tuntap.cc"
      ],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "_GNU_SOURCE"
      ],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "cflags_cc": [
        "-std=c++20", "-O2", "-Wall", "-Wextra", "-Wno-unused-parameter",
        "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"
      ],
      "ldflags": ["-Wl,-z,nodelete", "-Wl,--as-needed"],
      "conditions": [["OS!='linux'", { "type": "none", "sources": [] }]]
    }
  ]
}
