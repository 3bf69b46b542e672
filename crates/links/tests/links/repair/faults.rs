//! Records that cannot be used.

use super::*;

#[test]
fn records_that_make_no_sense_cost_a_repair_no_history() {
    for damage in ["{\"kind\":\"link\"}", "nonsense"] {
        let ground = Ground::on(Fs::Ext4);
        write(ground.at("d/f"), "x");
        link("../d/f", ground.at("z/l1"));
        link("../z/l1", ground.at("a/l2"));
        ground.track(["."]);
        let database = rusqlite::Connection::open(ground.records().directory.join("journal.db")).unwrap();
        let sql = "UPDATE tracked SET identity = ? WHERE CAST(link AS TEXT) LIKE '%/l2'";
        assert_eq!(database.execute(sql, [damage]).unwrap(), 1);
        drop(database);
        let ran = ground.convert(Conversion::Absolute, ["z"]).run().mends_all();
        assert!(ran.report.as_ref().unwrap().operation.is_some() && ran.warnings.is_empty(), "{ran}");
        ground.undo();
        assert_eq!(ground.target("z/l1"), Path::new("../d/f"));
    }
}
