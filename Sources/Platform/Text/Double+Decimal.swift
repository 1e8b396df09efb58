#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

extension Double {
    /// The double nearest to a decimal number; infinite if the number is out of range: strtod(3).
    package init(decimal text: String) {
        self = strtod(text, nil)
    }
}
