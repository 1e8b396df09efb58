extension StringProtocol {
    /// A name of the input, shortened for a message: unchanged up to `NearestName.bytesMax` bytes, otherwise its first
    /// 16 scalars and an ellipsis. The length of a message must not depend on the input that it refuses.
    package var shortened: String {
        utf8.count <= NearestName.bytesMax
            ? String(self) : String(String.UnicodeScalarView(unicodeScalars.prefix(16))) + "…"
    }
}
