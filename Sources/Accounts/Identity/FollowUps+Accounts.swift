package import Store

extension FollowUps {
    /// To deliver mails.
    package static let mail = FollowUps(rawValue: 1)
    /// To continue jobs.
    package static let jobs = FollowUps(rawValue: 2)
}
