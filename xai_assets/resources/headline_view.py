"""The view `headline`: the numbers of a report's front page and of the end of a run, each a row of another table."""

from xai_assets.evaluation.headline import AGREEMENT, DECISIVE, FAITHFULNESS, LOCALIZATION

COLUMNS = {
    "study": "the study",
    "section": "model, localization, faithfulness, agreement, or words (of each model's last layer)",
    "metric": "the metric, by its key; accuracy of the model; truth_presence of words",
    "variant": "which of several: a baseline or binarisation policy; NULL where there is one only",
    "subject": "the method, the control, the first method of a pair, or the model",
    "other": "the second method of a pair, or the layer; else NULL",
    "is_control": "whether the subject is a control that looks at no model",
    "value": "mean over images",
    "low": "lower end of the 95 % interval; NULL where there is none",
    "high": "upper end of the 95 % interval",
    "interval": "how the interval was made, or why there is none",
    "n": "images; of words: different words",
    "chance": "what maps of other images give, over the same images; NULL where there is no such level",
    "against": "what the answer compares the subject with, joined by ', '; NULL where nothing is asked of it",
    "p_holm": "the largest corrected p of these comparisons",
    "family_size": "comparisons that were corrected together",
    "fewest": "the smallest number of images that could decide one of them; NULL for words",
    "answer": "yes: above all of them; no: below one of them; cannot_tell: neither is shown with n images",
    "place": "orders the rows: sections, then as the tables were loaded",
}

OF = ("prediction_summary", "metric_summary", "metric_tests", "agreement_summary", "presence_summary")


def _words(keys: tuple[str, ...]) -> str:
    return ", ".join(f"'{key}'" for key in keys)


_ANSWER = """
    CASE WHEN bool_or(answer = 'no') THEN 'no' WHEN bool_and(answer = 'yes') THEN 'yes' ELSE 'cannot_tell' END
"""

QUERY = f"""
WITH tests AS (
    SELECT study, metric, variant, truth, method_a, string_agg(method_b, ', ' ORDER BY rowid) AS against,
           max(p_holm) AS p_holm, max(family_size) AS family_size, max(fewest) AS fewest, {_ANSWER} AS answer
    FROM metric_tests
    WHERE family = 'controls' AND (truth IS NULL OR (truth = 'object' AND method_b IN ({_words(DECISIVE)})))
    GROUP BY ALL
), measured AS (
    SELECT m.study,
           CASE WHEN m.truth = 'object' THEN 'localization' ELSE 'faithfulness' END AS section,
           m.metric, m.variant, m.method AS subject, NULL::VARCHAR AS other, m.is_control, m.mean AS value,
           m.low, m.high, m."interval", m.n,
           -- the expectation of a random order of pixels, for every model and baseline
           CASE WHEN m.truth = 'object' THEN m.chance ELSE 0 END AS chance, against, p_holm, family_size, fewest, answer,
           (CASE WHEN m.truth = 'object' THEN 1e6 ELSE 2e6 END) + m.rowid AS place
    FROM metric_summary m LEFT JOIN tests t
         ON t.study = m.study AND t.metric = m.metric AND coalesce(t.variant, '') = coalesce(m.variant, '')
            AND coalesce(t.truth, '') = coalesce(m.truth, '') AND t.method_a = m.method
    WHERE (m.truth = 'object' AND m.metric IN ({_words(LOCALIZATION)}))
       OR (m.truth IS NULL AND m.metric = '{FAITHFULNESS[0]}' AND m.variant = '{FAITHFULNESS[1]}')
), model AS (
    SELECT study, 'model' AS section, 'accuracy' AS metric, NULL::VARCHAR AS variant,
           model AS subject, NULL::VARCHAR AS other,
           FALSE AS is_control, accuracy AS value, low, high, "interval", n,
           NULL::DOUBLE AS chance, NULL::VARCHAR AS against,
           NULL::DOUBLE AS p_holm, NULL::BIGINT AS family_size, NULL::BIGINT AS fewest,
           NULL::VARCHAR AS answer, CAST(rowid AS DOUBLE) AS place
    FROM prediction_summary
), agreement AS (
    SELECT study, 'agreement' AS section, metric, NULL::VARCHAR AS variant, method_a AS subject, method_b AS other,
           FALSE AS is_control, mean AS value, low, high, "interval", n, chance,
           if(answer IS NULL, NULL, 'other_images') AS against, p_holm, family_size, fewest, answer,
           3e6 + rowid AS place
    FROM agreement_summary WHERE metric = '{AGREEMENT}' AND area IS NULL
), words AS (
    SELECT study, 'words' AS section, 'truth_presence' AS metric, NULL::VARCHAR AS variant,
           model AS subject, layer AS other,
           FALSE AS is_control, mean AS value, low, high, "interval", n, chance,
           if(p IS NULL, NULL, 'chance') AS against, p_holm, family_size, NULL::BIGINT AS fewest,
           if(p IS NULL, NULL, answer) AS answer, 4e6 + rowid AS place
    FROM presence_summary WHERE rowid IN (SELECT max(rowid) FROM presence_summary GROUP BY study, model)
)
SELECT * FROM model UNION ALL BY NAME SELECT * FROM measured UNION ALL BY NAME SELECT * FROM agreement
UNION ALL BY NAME SELECT * FROM words
ORDER BY place
"""  # noqa: S608 -- of constants
