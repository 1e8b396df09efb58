/// The C library of the system, for Platform alone, so that its files import it by one name.
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
