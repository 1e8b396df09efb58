/// The user and the group that a file belongs to.
package struct FileOwner: Equatable, Sendable {
    /// The number of the user.
    package let user: UInt32
    /// The number of the group.
    package let group: UInt32

    init(user: UInt32, group: UInt32) {
        (self.user, self.group) = (user, group)
    }

    /// The user that this process acts for.
    package static var current: FileOwner { FileOwner(user: CurrentProcess.user, group: CurrentProcess.group) }

    /// Whether it is the user that this process acts for.
    package var isCurrent: Bool { user == CurrentProcess.user }
}
