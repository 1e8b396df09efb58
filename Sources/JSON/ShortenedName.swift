extension StringProtocol {
    /// A name of the input as a message repeats it: whole up to `NearestName.bytesMax` bytes, then its first 16 scalars and
    /// an ellipsis. A message must not grow with what it refuses.
    package var shortened: String {
        utf8.count <= NearestName.bytesMax
            ? String(self) : String(String.UnicodeScalarView(unicodeScalars.prefix(16))) + "…"
    }
}
