internal import CLibrary

extension Double {
    /// The double nearest to a decimal number; infinite if the number is out of range: strtod(3).
    package init(decimal text: String) {
        self = strtod(text, nil)
    }
}
