/// The user and the group that own a file.
package struct FileOwner: Equatable, Sendable {
    /// The user id.
    package let user: UInt32
    /// The group id.
    package let group: UInt32

    init(user: UInt32, group: UInt32) {
        (self.user, self.group) = (user, group)
    }

    /// The effective user and group of this process.
    package static var current: FileOwner { FileOwner(user: CurrentProcess.user, group: CurrentProcess.group) }

    /// Whether the user is the effective user of this process.
    package var isCurrent: Bool { user == CurrentProcess.user }
}
