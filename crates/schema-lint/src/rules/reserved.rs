//! Words that are no names.

/// What PostgreSQL 18's `pg_get_keywords()` calls reserved, with or without the exception for functions and types.
const POSTGRES: &str = "all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate \
    collation column concurrently constraint create cross current_catalog current_date current_role current_schema \
    current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign \
    freeze from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like \
    limit localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary \
    references returning right select session_user similar some symmetric system_user table tablesample then to trailing \
    true union unique user using variadic verbose when where window with";

/// What SQLite's grammar takes as a name in no place, as its `sqlite3_keyword_check` tells words and its `%fallback` lets most of
/// them be names.
const SQLITE: &str = "add all alter and as autoincrement between case check collate commit constraint create default deferrable \
    delete distinct drop else escape except exists foreign from group having in index insert intersect into is isnull \
    join limit not nothing notnull null on or order primary references returning select set table then to transaction union \
    unique update using values when where";

/// What MySQL 9.7 reserves, as its `information_schema.keywords` tells. A test asks a server.
const MYSQL: &str = "accessible add all alter analyze and as asc asensitive before between bigint binary blob \
    both by call cascade case change char character check collate column condition constraint continue convert \
    create cross cube cume_dist current_date current_time current_timestamp current_user cursor database \
    databases day_hour day_microsecond day_minute day_second dec decimal declare default delayed delete \
    dense_rank desc describe deterministic distinct distinctrow div double drop dual each else elseif empty \
    enclosed escaped except exists exit explain external false fetch first_value float float4 float8 for force \
    foreign from fulltext function generated get grant group grouping groups having high_priority \
    hour_microsecond hour_minute hour_second if ignore in index infile inner inout insensitive insert int int1 \
    int2 int3 int4 int8 integer intersect interval into io_after_gtids io_before_gtids is iterate join \
    json_table key keys kill lag last_value lateral lead leading leave left library like limit linear lines load \
    localtime localtimestamp lock long longblob longtext loop low_priority match maxvalue mediumblob mediumint \
    mediumtext middleint minute_microsecond minute_second mod modifies natural no_write_to_binlog not nth_value \
    ntile null numeric of on optimize optimizer_costs option optionally or order out outer outfile over \
    partition percent_rank precision primary procedure purge qualify range rank read read_write reads real \
    recursive references regexp release rename repeat replace require resignal restrict return revoke right \
    rlike row row_number rows schema schemas second_microsecond select sensitive separator set show signal \
    smallint spatial specific sql sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate \
    sqlwarning ssl starting stored straight_join system table tablesample terminated then tinyblob tinyint \
    tinytext to trailing trigger true undo union unique unlock unsigned update usage use using utc_date utc_time \
    utc_timestamp values varbinary varchar varcharacter varying virtual when where while window with write xor \
    year_month zerofill";

/// What MariaDB 10.11 takes as a name in no place: its `information_schema.keywords` does not tell. A test tries a server.
const MARIADB: &str = "accessible add all alter analyze and as asc asensitive before between bigint binary blob \
    both by call cascade case change char character check collate column condition constraint continue convert \
    create cross current_date current_role current_time current_timestamp current_user cursor databases day_hour \
    day_microsecond day_minute day_second dec decimal declare default delayed delete delete_domain_id desc \
    describe deterministic distinct distinctrow div do_domain_ids double drop dual each else elseif enclosed \
    escaped except exists exit explain false fetch float float4 float8 for force foreign from fulltext grant \
    group having high_priority hour_microsecond hour_minute hour_second if ignore ignore_domain_ids in index \
    infile inner inout insensitive insert int int1 int2 int3 int4 int8 integer intersect interval into is \
    iterate join key keys kill leading leave left like limit linear lines load localtime localtimestamp lock \
    long longblob longtext loop low_priority master_demote_to_replica master_demote_to_slave \
    master_ssl_verify_server_cert match maxvalue mediumblob mediumint mediumtext middleint minute_microsecond \
    minute_second mod modifies natural no_write_to_binlog not null numeric offset on optimize optionally or \
    order out outer outfile over page_checksum parse_vcol_expr partition portion precision primary procedure \
    purge range read read_write reads real recursive ref_system_id references regexp release rename repeat \
    replace require resignal restrict return returning revoke right rlike row_number rows schemas \
    second_microsecond select sensitive separator set show signal smallint spatial specific sql sql_big_result \
    sql_calc_found_rows sql_small_result sqlexception sqlstate sqlwarning ssl starting stats_auto_recalc \
    stats_persistent stats_sample_pages straight_join table terminated then tinyblob tinyint tinytext to \
    trailing trigger true undo union unique unlock unsigned update usage use using utc_date utc_time \
    utc_timestamp values varbinary varchar varcharacter varying when where while with write xor year_month \
    zerofill";

/// What Transact-SQL reserves.
const TRANSACT: &str = "add all alter and any as asc authorization backup begin between break browse bulk by cascade case check \
    checkpoint close clustered coalesce collate column commit compute constraint contains containstable continue convert \
    create cross current current_date current_time current_timestamp current_user cursor database dbcc deallocate declare \
    default delete deny desc disk distinct distributed double drop dump else end errlvl escape except exec execute exists \
    exit external fetch file fillfactor for foreign freetext freetexttable from full function goto grant group having \
    holdlock identity identity_insert identitycol if in index inner insert intersect into is join key kill left like \
    lineno load merge national nocheck nonclustered not null nullif of off offsets on open opendatasource openquery \
    openrowset openxml option or order outer over percent pivot plan precision primary print proc procedure public \
    raiserror read readtext reconfigure references replication restore restrict return revert revoke right rollback \
    rowcount rowguidcol rule save schema select session_user set setuser shutdown some statistics system_user table \
    tablesample textsize then to top tran transaction trigger truncate try_convert tsequal union unique unpivot update \
    updatetext use user values varying view waitfor when where while with writetext";

pub(super) fn is_reserved(engine: &str, name: &str) -> bool {
    let words = match engine {
        "sqlite" => SQLITE,
        "mysql" => MYSQL,
        "mariadb" => MARIADB,
        "sqlserver" => TRANSACT,
        _ => POSTGRES,
    };
    let name = name.to_ascii_lowercase();
    words.split_ascii_whitespace().any(|word| word == name)
}
