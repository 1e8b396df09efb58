/// The bounds of accounts that the contract does not state, each with its unit in its name; the others are generated from
/// schema/limits.json.
package enum Limits {
    /// Rows for addresses without an account, for each API and each kind of mail: invented addresses cannot fill the disk.
    package static let unknownAddressSlotsMax = 16_384
    /// How far ahead a waiting mail can be due; one that is further was dated by a clock that stood ahead.
    package static let mailDelaySecondsMax = 3_600
    /// How long at most what a mail says is good.
    package static let mailLifetimeSecondsMax = claimCodeSeconds
    /// Clients that are read in one go where a request bounds how many it gets.
    package static let clientsPerScanMax = 1_000
    /// Records of a list that are read before the length of its answer is measured, as most lists are short.
    package static let answerItemsUnmeasured = clientsPerScanMax
    /// Bytes that a client takes in an answer besides its texts: no client takes fewer.
    package static let clientAnswerBytesMin = 128
    /// The same of a patient.
    package static let patientAnswerBytesMin = 96
    /// The same of a share.
    package static let shareAnswerBytesMin = 64
    /// Shares that are read in one go where a request or a job goes through all of a patient's.
    package static let sharesPerScanMax = 100
    /// Accounts that an invitation may create.
    package static let invitationUses = 1...invitationUsesMax
    /// Records that one transaction of a job deletes or changes. With their index entries that takes about 10 ms, which is
    /// how long other requests wait for it. It takes longer where a patient has thousands of invitations: the search for
    /// an heir reads all of them, once.
    package static let jobRecordsMax = 200
    /// How long a process that ends goes on with jobs.
    package static let lastJobsMilliseconds = 2_000
    /// How often a process looks for jobs that others left.
    package static let jobLookSeconds = 60
    /// How often counts, quotas and codes that are over are deleted.
    package static let sweepSeconds = 3_600
    /// Rows of a kind that one sweep deletes or corrects.
    package static let sweptRowsMax = 1_000
}
