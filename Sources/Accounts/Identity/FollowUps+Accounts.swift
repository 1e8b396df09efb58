package import Store

extension FollowUps {
    /// To deliver mails.
    package static let mail = FollowUps(rawValue: 1)
    /// To continue jobs.
    package static let jobs = FollowUps(rawValue: 2)
    /// To tell the host of events.
    package static let events = FollowUps(rawValue: 4)
}
