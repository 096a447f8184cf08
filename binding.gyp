{
  "targets": [
    {
      "target_name": "child",
      "type": "static_library",
      "sources": ["native/child.cc"],
      "defines": ["_GNU_SOURCE"],
      "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fPIC", "-Wall", "-Wextra", "-O2"]
    },
    {
      "target_name": "monoceros",
      "dependencies": ["child"],
      "sources": [
        "native/addon.cc",
        "native/channel.cc",
        "native/datagram.cc",
        "native/fds.cc",
        "native/image.cc",
        "native/kernel.cc",
        "native/leave.cc",
        "native/listeners.cc",
        "native/lives.cc",
        "native/loop.cc",
        "native/memory.cc",
        "native/mold.cc",
        "native/mute.cc",
        "native/other-end.cc",
        "native/process.cc",
        "native/quiet.cc",
        "native/reap.cc",
        "native/signals.cc",
        "native/spawn.cc",
        "native/stack.cc",
        "native/touch.cc",
        "native/warm.cc",
        "native/wills.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_DEPRECATED", "NAPI_CPP_EXCEPTIONS", "_GNU_SOURCE"],
      "cflags_cc": ["-std=c++17", "-fexceptions", "-fvisibility=hidden", "-Wall", "-Wextra", "-O2"],
      "cflags_cc!": ["-fno-exceptions"]
    }
  ]
}
