internal import CLibrary

/// The processor's instruction for CRC-32C.
package enum CRCInstruction {
    /// Whether the processor has it.
    package static var isAvailable: Bool {
        #if canImport(Darwin)
            false
        #else
            processor_has_crc32c() != 0
        #endif
    }

    /// The CRC-32C of earlier bytes and `bytes` together. The instruction must be available.
    ///
    /// - Parameter crc: the CRC of the earlier bytes. Neither it nor the result is inverted.
    package static func value(of bytes: UnsafeRawBufferPointer, after crc: UInt32) -> UInt32 {
        #if canImport(Darwin)
            crc
        #else
            processor_crc32c(crc, bytes.baseAddress, bytes.count)
        #endif
    }
}
