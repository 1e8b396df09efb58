import Accounts

/// Which methods of the contract a process serves. The others are unknown there, also to `rpc.discover` and to
/// assistants.
package struct ServedMethods: Sendable {
    /// Whether the process runs in deterministic mode.
    package let isDeterministic: Bool
    /// Whether the host has asked for administration.
    package let isAdministered: Bool

    package init(isDeterministic: Bool, isAdministered: Bool) {
        self.isDeterministic = isDeterministic
        self.isAdministered = isAdministered
    }

    /// All of them, in the contract's order.
    var all: [Method] { Method.allCases.filter(includes) }

    func includes(_ method: Method) -> Bool {
        (isDeterministic || !method.isDeterministicOnly) && (isAdministered || method.api != .admin)
    }

    /// How a process is started that serves a method which this one does not serve.
    func flags(toServe method: Method) -> String {
        method.api == .admin ? "--admin" : "--data :memory:, --clock and --seed"
    }
}
