#if canImport(Glibc) || canImport(Musl)
    internal import CLinux
#endif

/// The processor's instruction for CRC-32C.
package enum CRCInstruction {
    /// Whether there is one.
    package static var isAvailable: Bool {
        #if canImport(Darwin)
            false
        #else
            processor_has_crc32c() != 0
        #endif
    }

    /// The check of bytes behind those that gave `crc`, neither of them inverted. It must be available.
    package static func value(of bytes: UnsafeRawBufferPointer, after crc: UInt32) -> UInt32 {
        #if canImport(Darwin)
            crc
        #else
            processor_crc32c(crc, bytes.baseAddress, bytes.count)
        #endif
    }
}
