internal import CSodium

/// Initialises libsodium when it is first used, not at start: detecting the processor's features takes as long as
/// twenty requests on a virtual machine, and would delay the start.
enum Sodium {
    /// Initialises libsodium. Call it before any function whose speed matters: without it libsodium works, but at half
    /// the speed, with code that runs on any processor.
    static func makeReady() { precondition(isReady, "libsodium cannot be used") }

    /// Bytes in Base64 (RFC 4648 §4) without padding, as in PHC strings.
    static func base64(_ bytes: [UInt8]) -> String {
        let variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING
        var text = [CChar](repeating: 0, count: sodium_base64_encoded_len(bytes.count, variant))
        _ = sodium_bin2base64(&text, text.count, bytes, bytes.count, variant)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let isReady = sodium_init() >= 0
}
