/// What the flags of a process change about its service, as `system.info` shows it.
package struct ServiceSettings: Sendable {
    /// Whether the methods of administration are served.
    package var isAdministered: Bool
    /// Whether the host gets the events of the audit trail.
    package var pushesEvents: Bool

    package init(isAdministered: Bool = false, pushesEvents: Bool = false) {
        self.isAdministered = isAdministered
        self.pushesEvents = pushesEvents
    }
}
