# The public names of this room and where they live; __init__.py loads them lazily from this list.
from .read import read_article as read_article
from .read import read_articles as read_articles
from .review import keep_reviewed as keep_reviewed
from .review import read_review as read_review
from .review import review_row as review_row
from .review import usable_tallies as usable_tallies
from .sentence_table import SentenceTable as SentenceTable
from .sentence_table import highlight as highlight
