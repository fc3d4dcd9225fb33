import Trust

extension AccessPolicy {
  static var friends: AccessPolicy { made { () throws(TrustError) in try AccessPolicy(access: .friends) } }

  static func only(_ names: String..., paths: [String]? = nil) -> AccessPolicy {
    made { () throws(TrustError) in
      var petnames: Set<Petname> = []
      for name in names { petnames.insert(try Petname(name)) }
      return try AccessPolicy(access: .names(petnames), paths: paths)
    }
  }

  private static func made(_ make: () throws(TrustError) -> AccessPolicy) -> AccessPolicy {
    do throws(TrustError) {
      return try make()
    } catch {
      preconditionFailure(error.message)
    }
  }
}
