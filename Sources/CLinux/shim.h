// What the system's library has and Swift's Glibc module leaves out.
#include <sys/statfs.h>
