/// The error of a function that makes several system calls: which one failed, and why.
package struct FailedCall: Error, Equatable, CustomStringConvertible, Sendable {
    /// The call and its object, as in `open ./postern-data`.
    package let call: String
    /// Why it failed.
    package let error: SystemError

    package init(_ call: String, _ error: SystemError) {
        (self.call, self.error) = (call, error)
    }

    /// The call and the system's text, as in `open ./postern-data: No such file or directory`.
    package var description: String { "\(call): \(error)" }
}
