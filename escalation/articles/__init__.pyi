# The public names of this room and where they live; __init__.py loads them lazily from this list.
from .read import read_article as read_article
from .read import read_articles as read_articles
