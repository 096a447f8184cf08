// All that is used of the insides of Node and V8 that no header promises: their own functions and tables, by the names that
// they have in the binary. Each is looked up when it is needed; one that is missing is told by its name.
#pragma once

namespace monoceros::insides {

// What changed its name between versions of Node.
struct Renamed {
  const char* since_node_22;
  const char* node_20;
};

// The virtual functions of node::NodePlatform, and the two of them that post tasks to V8's worker threads.
constexpr const char* kPlatform = "_ZTVN4node12NodePlatformE";
constexpr Renamed kPosters[] = {
    {"_ZN4node12NodePlatform26PostTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4TaskESt14default_"
     "deleteIS4_EERKNS1_14SourceLocationE",
     "_ZN4node12NodePlatform18CallOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EE"},
    {"_ZN4node12NodePlatform33PostDelayedTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4TaskESt14"
     "default_deleteIS4_EEdRKNS1_14SourceLocationE",
     "_ZN4node12NodePlatform25CallDelayedOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EEd"},
};

// What happens when Node has nothing left to do but to exit: of v8::Isolate GetCurrent and GetCurrentContext, of node
// GetCurrentEnvironment, SetProcessExitHandler and DefaultProcessExitHandler.
constexpr const char* kGetCurrent = "_ZN2v87Isolate10GetCurrentEv";
constexpr const char* kGetContext = "_ZN2v87Isolate17GetCurrentContextEv";
constexpr const char* kGetEnvironment = "_ZN4node21GetCurrentEnvironmentEN2v85LocalINS0_7ContextEEE";
constexpr const char* kSetExitHandler =
    "_ZN4node21SetProcessExitHandlerEPNS_11EnvironmentEOSt8functionIFvS1_iEE";
constexpr const char* kExitHandler = "_ZN4node25DefaultProcessExitHandlerEPNS_11EnvironmentEi";

// The JavaScript stack of a thread that is busy: v8::Isolate::RequestInterrupt, node::PrintCurrentStackTrace.
constexpr const char* kRequestInterrupt = "_ZN2v87Isolate16RequestInterruptEPFvPS0_PvES2_";
constexpr const char* kPrintStack = "_ZN4node22PrintCurrentStackTraceEPN2v87IsolateENS_16StackTracePrefixE";

}  // namespace monoceros::insides
