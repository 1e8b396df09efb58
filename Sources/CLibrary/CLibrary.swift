/// The C library of the system, for Platform and for tests that need its calls, so that files import it by one name.
///
/// Untested with musl and on macOS.
#if canImport(Glibc)
    @_exported import CLinux
    @_exported import Glibc
#elseif canImport(Musl)
    @_exported import CLinux
    @_exported import Musl
#elseif canImport(Darwin)
    @_exported import Darwin
#endif
